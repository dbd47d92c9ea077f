//! Why a source is given up before every missing price was asked for, with the text that users read.

use chrono::{DateTime, NaiveDate, Utc};

use super::source::SourceLabel;

/// Why no further call is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StopReason {
    #[error("{} allows no further call before {}", label.title, until.format("%Y-%m-%d %H:%M UTC"))]
    RateLimited { label: SourceLabel, until: DateTime<Utc> },
    #[error("{} is paused", label.title)]
    Paused { label: SourceLabel },
    #[error("{} says the API key is invalid; set {} to a valid key", label.title, label.key_variable)]
    BadCredentials { label: SourceLabel },
    #[error("prices are missing and there is no key to fetch them with; set {variables} to a valid key")]
    NoKey { variables: String },
    /// The missing dates are older than the key's plan reaches.
    #[error(
        "the {} key's plan has no prices before {earliest}; \
         set {} to a paying key, or ask for dates from {earliest} on", label.title, label.key_variable
    )]
    OutOfReach { label: SourceLabel, earliest: NaiveDate },
    #[error("the {} key's plan has no daily prices; set {} to a paying key", label.title, label.key_variable)]
    NotInPlan { label: SourceLabel },
    /// Several calls in a row got no response.
    #[error(
        "{} cannot be reached ({reason}); check the network and {}, then trigger again",
        label.title, label.address_setting
    )]
    Unreachable { label: SourceLabel, reason: String },
}
