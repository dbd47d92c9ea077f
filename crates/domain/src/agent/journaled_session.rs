//! A session that is fed what its recording holds, before anybody else is asked.

use super::end_reason::EndReason;
use super::journal::{EntryKind, Journal, JournalError, request_hash};
use super::response::ModelResponse;
use super::session::{EndedSession, ModelRequest, Next, SearchRequest, Session, SessionError};

/// A session with its recording. A day that goes on after an interruption and a day that is replayed are
/// both one of these.
pub struct JournaledSession<'a> {
    session: Session<'a>,
    journal: Journal,
    again: u64,
    error: Option<String>,
}

/// What the recording does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// The answer to a request.
    Call {
        /// The request.
        ask: ModelRequest,
        /// What identifies it.
        hash: String,
        /// Copies of it that were sent already.
        sent: u32,
    },
    /// The results of a search.
    Search(SearchRequest),
    /// The recording holds another request for this step.
    Changed {
        /// The step, from 1.
        step: u32,
    },
    /// Nothing: the day has ended.
    Ended(EndReason),
}

/// Why a recording cannot be told to its session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournaledSessionError {
    /// An answer was stored that is none.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The session was told what it did not ask.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl<'a> JournaledSession<'a> {
    /// A session at its beginning.
    pub fn new(session: Session<'a>, journal: Journal) -> Self {
        Self { session, journal, again: 0, error: None }
    }

    /// Goes on as far as the recording reaches. To be told what it wants before it is asked again.
    ///
    /// # Errors
    /// When the recording holds an answer that is none.
    pub fn next_step(&mut self) -> Result<NextStep, JournaledSessionError> {
        loop {
            match self.session.next() {
                Next::Ended(reason) => return Ok(NextStep::Ended(reason)),
                Next::Call(ask) => {
                    if let Some(wanted) = self.recall(ask)? {
                        return Ok(wanted);
                    }
                }
                Next::Search(wanted) => {
                    let known = self.journal.entry(wanted.step, wanted.index.saturating_add(1));
                    let known = known.filter(|entry| entry.kind == EntryKind::Search);
                    match known.and_then(|entry| entry.answer.clone()) {
                        Some(result) => self.session.add_search_result(wanted.index, &result)?,
                        None => return Ok(NextStep::Search(wanted)),
                    }
                }
            }
        }
    }

    /// Tells what is recorded of the request; what is wanted instead, when that does not answer it.
    fn recall(&mut self, ask: ModelRequest) -> Result<Option<NextStep>, JournaledSessionError> {
        let hash = request_hash(&ask.body);
        let Some(entry) = self.journal.entry(ask.step, 0) else {
            return Ok(Some(NextStep::Call { ask, hash, sent: 0 }));
        };
        let (lost, sent) = (entry.lost_copies(), entry.sent);
        if entry.kind == EntryKind::Stop {
            let reason = entry.answer.as_deref().and_then(|reason| reason.parse().ok());
            (0..lost).for_each(|_| self.count_lost_call());
            self.stop(reason.unwrap_or(EndReason::NoDecision));
            return Ok(None);
        }
        if entry.hash.as_ref() != Some(&hash) {
            return Ok(Some(NextStep::Changed { step: ask.step }));
        }
        let heard = entry.response()?;
        (0..lost).for_each(|_| self.count_lost_call());
        let Some(answer) = heard else { return Ok(Some(NextStep::Call { ask, hash, sent })) };
        self.add_response(&answer)?;
        Ok(None)
    }

    /// Tells the answer to the request that was wanted.
    ///
    /// # Errors
    /// When none was.
    pub fn add_response(&mut self, answer: &ModelResponse) -> Result<(), SessionError> {
        if let ModelResponse::Failed(failure) = answer {
            self.error = Some(format!("the endpoint failed ({}): {}", failure.class.as_str(), failure.text));
        }
        self.session.add_response(answer)
    }

    /// Tells the results of the search that was wanted.
    ///
    /// # Errors
    /// When no such search was.
    pub fn add_search_result(&mut self, index: u32, result: &str) -> Result<(), SessionError> {
        self.session.add_search_result(index, result)
    }

    /// Counts a copy of the wanted call that was sent and whose answer was lost: it may have been billed.
    pub fn count_lost_call(&mut self) {
        self.session.count_lost_call();
        self.again = self.again.saturating_add(1);
    }

    /// Ends the day from outside.
    pub fn stop(&mut self, reason: EndReason) {
        self.session.stop(reason);
    }

    /// The step that was asked last, from 1; 0 before the first.
    pub fn step(&self) -> u32 {
        self.session.step()
    }

    /// The session.
    pub fn session(&self) -> &Session<'a> {
        &self.session
    }

    /// What it is fed from.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Calls that were sent again although an earlier copy may have been billed.
    pub fn resent_calls(&self) -> u64 {
        self.again
    }

    /// Ends the session; beside it what the endpoint said, when it failed for good.
    pub fn finish(self) -> (EndedSession<'a>, Option<String>) {
        (self.session.finish(), self.error)
    }
}
