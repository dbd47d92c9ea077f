//! Why a download ends before everything that is missing was asked for, in words for people.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

/// Why no further call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The budget has no call before then.
    RateLimited { until: DateTime<Utc> },
    /// The provider refuses the key.
    BadCredentials,
    /// There is no key to ask with.
    NoKey,
    /// What is missing is older than the key's plan reaches.
    OutOfReach { earliest: NaiveDate },
    /// The key's plan has no daily prices at all.
    NotInPlan,
    /// Symbol after symbol could not be fetched.
    Unreachable { reason: String },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimited { until } => {
                write!(f, "Alpha Vantage allows no further call before {}", until.format("%Y-%m-%d %H:%M UTC"))
            }
            Self::BadCredentials => {
                f.write_str("Alpha Vantage says the API key is invalid; set ALPHAVANTAGE_API_KEY to a valid key")
            }
            Self::NoKey => f.write_str(
                "prices are missing and there is no key to fetch them with; set ALPHAVANTAGE_API_KEY to a valid key",
            ),
            Self::OutOfReach { earliest } => write!(
                f,
                "the Alpha Vantage key's plan has no prices before {earliest}; \
                 set ALPHAVANTAGE_API_KEY to a paying key, or ask for dates from {earliest} on"
            ),
            Self::NotInPlan => f.write_str(
                "the Alpha Vantage key's plan has no daily prices; set ALPHAVANTAGE_API_KEY to a paying key",
            ),
            Self::Unreachable { reason } => write!(
                f,
                "Alpha Vantage cannot be reached ({reason}); check the network and ALPHAVANTAGE_BASE_URL, \
                 then trigger again"
            ),
        }
    }
}
