//! The schema of a request's body, for the API's description only. `domain::job::request` reads the body, and reports
//! all its invalid fields together.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Which models to run over which dates.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes; domain reads the body")]
pub(super) struct SimulationRequest {
    /// First date, `YYYY-MM-DD`. Null, absent or empty: each model continues after its last completed day.
    #[schema(example = "2025-10-01", pattern = r"^(\d{4}-\d{2}-\d{2})?$")]
    start_date: Option<String>,
    /// Last date, `YYYY-MM-DD`; not in the future.
    #[schema(example = "2025-10-29", pattern = r"^\d{4}-\d{2}-\d{2}$")]
    end_date: String,
    /// Names of configured models. Null, absent or empty: all that are enabled.
    models: Option<Vec<String>>,
    /// Run completed days again and replace them.
    #[schema(required = false, inline)]
    replace_existing: Flag,
    /// After a failed day: `continue` with the next, or `stop`.
    #[schema(required = false, default = "continue", pattern = "^(continue|stop)$")]
    on_failure: String,
    /// Portfolios of one name continue each other; a new name starts from cash.
    #[schema(
        required = false,
        default = "default",
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    experiment: String,
    /// Wait for more calls of the price provider's quota instead of leaving dates out.
    #[schema(required = false, inline)]
    wait_for_data: Flag,
    /// Run stale days again, in order: days that started from a day which was replaced or filled later.
    #[schema(required = false, inline)]
    reprocess_stale: Flag,
    /// Dollars that the job's agents may cost, above zero: a decimal as text, or a number. Absent: no limit.
    #[schema(inline, example = "2.50")]
    budget: Option<Dollars>,
    /// Which jobs go first while more lanes are ready than can run: `low`, `normal` or `high`. It changes no result.
    #[schema(required = false, default = "normal", pattern = "^(low|normal|high)$")]
    priority: String,
    /// Name of the universe whose symbols may be traded. Null or absent: the default one, unless there are `symbols`.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,100}$", nullable = true)]
    universe: Option<String>,
    /// The symbols that may be traded, in place of a universe.
    #[schema(min_items = 1, max_items = 10_000, example = json!(["AAPL", "MSFT"]))]
    symbols: Option<Vec<String>>,
}

/// An amount above zero.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes; domain reads the body")]
enum Dollars {
    Text(String),
    Number(f64),
}

/// A boolean, or a value that the original API accepts as one.
struct Flag;

impl PartialSchema for Flag {
    fn schema() -> RefOr<Schema> {
        let texts = ["true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0"];
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(texts));
        let number = ObjectBuilder::new().schema_type(Type::Number).enum_values(Some([0, 1]));
        let flag = OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Boolean));
        flag.item(text).item(number).default(Some(false.into())).into()
    }
}

impl ToSchema for Flag {}
