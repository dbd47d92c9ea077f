//! Commits of days: one statement each, or one for the days of several lanes, fenced by the lanes' epochs.

mod columns;
mod many;
mod one;

use chrono::{DateTime, Utc};

use super::days::DayCommit;
use crate::outbox::StoredMessage;

pub use many::DayWriter;
pub use one::commit_day;

/// A day that was committed.
#[derive(Debug, Clone)]
pub struct Written {
    /// The next turn's message as it stands in the outbox, which its relay leaves alone for a second: whoever
    /// committed the day sends it.
    pub next_turn: Option<StoredMessage>,
}

impl Written {
    /// What became of `commit`, whose next turn has this id in the outbox and was written then.
    fn of(commit: &DayCommit, id: Option<i64>, created_at: Option<DateTime<Utc>>) -> Self {
        let next_turn = match (&commit.next_turn, id, created_at) {
            (Some(message), Some(id), Some(created_at)) => Some(message.stored(id, created_at)),
            _ => None,
        };
        Self { next_turn }
    }
}
