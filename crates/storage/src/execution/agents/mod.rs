//! Days of agents: attempts, their journal, what they may spend, and how busy an endpoint is.

mod attempts;
mod journal;
mod transcripts;

pub use attempts::{Attempt, begin_attempt, end_attempt};
pub use journal::{Call, Intent, Settled, Step, Told, note_refusal, read_journal, write_journal};
pub use transcripts::{DayKey, EndedDay, ended_day};
