//! Alpha Vantage: one symbol's whole history, or its last 100 sessions, per call.
//!
//! `client` sends, `classify` decides what an answer is, `parse` judges its rows.

mod classify;
mod client;
mod parse;
mod series;

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use super::Sessions;

pub use classify::{Asked, HttpAnswer, classify};
pub use client::{AlphaVantage, History, Settings, SetupError};

/// What it is called in budgets, warnings and metrics.
pub(crate) const NAME: &str = "alpha_vantage";

/// How many bars `outputsize=compact` has.
pub(crate) const COMPACT_SESSIONS: usize = 100;

/// How much of a symbol's history is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputSize {
    /// The last 100 sessions; every key may ask for it.
    Compact,
    /// Everything, for paying keys.
    Full,
}

impl OutputSize {
    fn parameter(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Full => "full",
        }
    }
}

/// The oldest session that a compact answer has for a symbol without gaps. Today's session counts among the
/// 100, as its bar may be there already.
pub fn compact_from(sessions: &Sessions<'_>) -> NaiveDate {
    // Twice as many days as 100 sessions take, so that a calendar without sessions ends the search.
    let earlier = (0..300).filter_map(|days| sessions.today.checked_sub_days(Days::new(days)));
    earlier
        .filter(|date| (sessions.is_session)(*date))
        .take(COMPACT_SESSIONS)
        .last()
        .unwrap_or(sessions.today)
}

/// How much of what is wanted a compact answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    All,
    Some,
    None,
}

fn reach(wanted: &BTreeSet<NaiveDate>, sessions: &Sessions<'_>) -> Reach {
    let from = compact_from(sessions);
    match (wanted.first(), wanted.last()) {
        (Some(oldest), _) if *oldest >= from => Reach::All,
        (None, _) => Reach::All,
        (_, Some(newest)) if *newest >= from => Reach::Some,
        _ => Reach::None,
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
