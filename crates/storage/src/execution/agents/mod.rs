//! Days of agents: attempts, their journal, and conversations.

mod attempts;
mod journal;
mod odd_ends;
mod recorded_conversations;
mod transcripts;

pub use attempts::{Attempt, begin_attempt, end_attempt};
pub use journal::{
    CallPermission, CallResponse, EntryResult, Intent, StepCommit, TokenRate, commit_step, read_journal,
    record_refusal,
};
pub use odd_ends::odd_ends;
pub use recorded_conversations::{PortfolioDate, put_conversation, recorded_conversation};
pub use transcripts::{DayKey, EndedDay, ended_day};
