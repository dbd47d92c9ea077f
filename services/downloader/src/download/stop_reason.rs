//! Why a download ends before every missing symbol was tried, with the text that users read.

use chrono::{DateTime, NaiveDate, Utc};

/// Why no further call is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StopReason {
    #[error("Alpha Vantage allows no further call before {}", .until.format("%Y-%m-%d %H:%M UTC"))]
    RateLimited { until: DateTime<Utc> },
    #[error("Alpha Vantage says the API key is invalid; set ALPHAVANTAGE_API_KEY to a valid key")]
    BadCredentials,
    #[error(
        "prices are missing and there is no key to fetch them with; set ALPHAVANTAGE_API_KEY to a valid key"
    )]
    NoKey,
    /// The missing dates are older than the key's plan reaches.
    #[error(
        "the Alpha Vantage key's plan has no prices before {earliest}; \
         set ALPHAVANTAGE_API_KEY to a paying key, or ask for dates from {earliest} on"
    )]
    OutOfReach { earliest: NaiveDate },
    #[error("the Alpha Vantage key's plan has no daily prices; set ALPHAVANTAGE_API_KEY to a paying key")]
    NotInPlan,
    /// Several symbols in a row got no response.
    #[error(
        "Alpha Vantage cannot be reached ({reason}); check the network and ALPHAVANTAGE_BASE_URL, \
         then trigger again"
    )]
    Unreachable { reason: String },
}
