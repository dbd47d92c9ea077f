//! Warnings, as responses show them.

use domain::job::warning::Warning;
use serde::Serialize;
use utoipa::ToSchema;

/// A problem that a job continued in spite of.
#[derive(Serialize, ToSchema)]
#[schema(as = Warning)]
pub(super) struct WarningDetail {
    /// A stable name, such as `RATE_LIMITED`.
    code: String,
    /// A sentence for people.
    message: String,
    /// The symbols concerned, if any.
    symbols: Vec<String>,
    /// The dates concerned, if any.
    dates: Vec<String>,
    /// How many things are concerned.
    count: u32,
}

impl From<Warning> for WarningDetail {
    fn from(Warning { code, message, symbols, dates, count }: Warning) -> Self {
        let symbols = symbols.iter().map(ToString::to_string).collect();
        let dates = dates.iter().map(ToString::to_string).collect();
        Self { code, message, symbols, dates, count }
    }
}
