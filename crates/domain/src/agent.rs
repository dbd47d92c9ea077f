//! An agent's day: one model-day decided by a language model, or by a user's own agent.
//!
//! A [`Session`] is opened with the market as of the open and the day's book. It returns requests ([`Next::Call`],
//! [`Next::Search`]); the caller sends them and adds each response ([`Session::add_response`],
//! [`Session::add_search_result`]) after it has written it to the journal. The same responses give the same requests,
//! byte for byte, in every process. So a day is resumed or replayed by a [`JournaledSession`], which adds the journal's
//! responses to a new session.
//!
//! ```text
//! let mut session = JournaledSession::new(Session::open(opening)?, journal);
//! loop {
//!     match session.next_step()? {
//!         NextStep::Call { request, hash, sent } => {
//!             // write the intent to the journal, send request.body
//!             let response = dialect.classify(&raw, &secrets);
//!             // send it again after a failure, while next_try(&failure, tries, jitter) returns a wait
//!             session.add_response(&response)?;
//!         }
//!         NextStep::Search(request) => {
//!             let text = search::text(&search::published_before(&results, today), today);
//!             session.add_search_result(request.index, &text)?;
//!         }
//!         NextStep::Changed { .. } => // begin a new attempt
//!         NextStep::Ended(_) => break,
//!     }
//! }
//! let finished = session.finish();
//! ```
//!
//! No HTTP, no database, no clock here. The caller ends a day that is out of time or budget ([`Session::stop`]).

mod action_notices;
pub mod conversation;
pub mod diagnosis;
pub mod dialect;
pub mod end_reason;
pub mod endpoint;
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
pub use diagnosis::Diagnosis;
pub use dialect::Dialect;
pub use end_reason::EndReason;
pub use endpoint::{AddressRules, EndpointRefusal, EndpointRules, EndpointUrl};
pub use journal::{Entry, EntryKind, Journal, JournalError, request_hash};
pub use journaled_session::{FinishedSession, JournaledSession, JournaledSessionError, NextStep};
pub use report::AgentReport;
pub use response::{
    AssistantMessage, Delivery, Failure, FailureClass, MessageClass, ModelResponse, RawResponse,
};
pub use retry::next_try;
pub use secrets::Secrets;
pub use session::{EndedSession, ModelRequest, Next, Opening, Session};
pub use settings::{AgentSettings, Limits};
pub use transcript::{Message, Transcript};
pub use usage::{TokenPrices, Usage, UsageTotal};
