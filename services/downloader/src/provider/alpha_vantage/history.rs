//! How much of a symbol's history a call requests.

use chrono::{Days, NaiveDate};

use crate::provider::Sessions;

/// How many bars `outputsize=compact` has.
pub(crate) const COMPACT_SESSIONS: usize = 100;

/// Which part of a symbol's history to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// The last 100 sessions when they have every requested date, else everything.
    AsNeeded,
    /// The last 100 sessions, whatever the dates are: a free key has no more.
    Recent,
}

/// The `outputsize` of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputSize {
    /// The last 100 sessions, for every key.
    Compact,
    /// Everything, for paying keys.
    Full,
}

impl OutputSize {
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Full => "full",
        }
    }
}

/// The oldest session that a compact response has for a symbol without gaps. Today's session counts among the 100,
/// as its bar may be there already.
pub(super) fn compact_from(sessions: &Sessions<'_>) -> NaiveDate {
    // Twice as many days as 100 sessions take, so that a calendar without sessions ends the search.
    let earlier = (0..300).filter_map(|days| sessions.today.checked_sub_days(Days::new(days)));
    earlier
        .filter(|date| (sessions.is_session)(*date))
        .take(COMPACT_SESSIONS)
        .last()
        .unwrap_or(sessions.today)
}
