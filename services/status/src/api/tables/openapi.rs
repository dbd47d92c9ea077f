//! Parameters of the three tables' routes, for the API's description only; `selection.rs` reads them.

use utoipa::IntoParams;

use super::format::{FormatName, NumbersName};

/// Which rows, and in which format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes")]
pub(super) struct TableParams {
    /// First date, `YYYY-MM-DD`; the first with a row when absent.
    #[param(format = Date)]
    start_date: Option<String>,
    /// Last date, `YYYY-MM-DD`; the last with a row when absent.
    #[param(format = Date)]
    end_date: Option<String>,
    /// Only what this job ran, whether or not a later job replaced it.
    job_id: Option<String>,
    /// Only this model.
    model: Option<String>,
    /// Of this experiment; `default` when absent, or that of the job.
    experiment: Option<String>,
    /// Only this trial; all when absent.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    trial: Option<i64>,
    /// `csv` and `parquet` have all rows; when absent, the header `Accept` decides.
    #[param(inline)]
    format: Option<FormatName>,
    /// `float`: amounts as the nearest floating-point number, in Parquet as `DOUBLE`; with all their digits when absent.
    #[param(inline)]
    numbers: Option<NumbersName>,
    /// Most rows of a JSON page; 1,000 when absent.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<i64>,
    /// The `next_cursor` of an earlier JSON page.
    cursor: Option<String>,
}
