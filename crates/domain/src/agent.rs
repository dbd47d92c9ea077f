//! An agent's day: one model-day decided by a language model, or by a user's own agent.
//!
//! The whole day is a fold over recorded facts. A [`Session`] is opened over the market as of the
//! open and the day's book; it asks ([`Next::Call`], [`Next::Search`]), the shell answers
//! ([Session::add_response], [`Session::add_search_result`]) with what it has journalled, and the same facts
//! give the same requests, byte for byte, in every process. A resumed or replayed day is the same
//! session fed again.
//!
//! ```text
//! let mut session = Session::open(opening)?;
//! let reason = loop {
//!     match session.next() {
//!         Next::Call(ask) => {
//!             // hash ask.body, compare with the journal or write the intent, call, classify
//!             let answer = dialect.classify(&raw, &secrets);
//!             // a failure is tried again while next_try(&failure, tries, jitter) says so
//!             session.add_response(&answer)?;
//!         }
//!         Next::Search(wanted) => {
//!             let text = search::text(&search::usable(&found, today), today);
//!             session.add_search_result(wanted.index, &text)?;
//!         }
//!         Next::Ended(reason) => break reason,
//!     }
//! };
//! let ended = session.finish();
//! ```
//!
//! No HTTP, no journal, no clock here: the shell tells elapsed time and an exhausted budget.

pub mod conversation;
pub mod dialect;
pub mod end_reason;
pub mod journal;
pub mod journaled_session;
mod json;
mod number;
pub mod prompt;
pub mod report;
pub mod response;
pub mod retry;
pub mod sandbox;
pub mod search;
pub mod secrets;
pub mod session;
pub mod settings;
mod summary;
#[cfg(test)]
mod tests;
pub mod tool;
pub mod transcript;
pub mod usage;

pub use conversation::Conversation;
pub use dialect::Dialect;
pub use end_reason::{EndReason, Outcome};
pub use journal::{Entry, EntryKind, Journal, JournalError, request_hash};
pub use journaled_session::{FinishedSession, JournaledSession, JournaledSessionError, NextStep};
pub use report::AgentReport;
pub use response::{AssistantMessage, Delivery, Failure, FailureClass, ModelResponse, RawResponse};
pub use retry::{Reaction, next_try};
pub use secrets::Secrets;
pub use session::{EndedSession, ModelRequest, Next, Opening, Session};
pub use settings::{AgentSettings, Limits};
pub use transcript::{Message, Transcript};
pub use usage::{Spent, TokenPrices, Usage};
