//! A session that takes responses from its journal first.

use super::end_reason::EndReason;
use super::journal::{EntryKind, Journal, JournalError, request_hash};
use super::report::AgentReport;
use super::response::ModelResponse;
use super::session::{EndedSession, ModelRequest, Next, SearchRequest, Session, SessionError};

/// A session with the journal of its attempt: of a new day, of one that goes on after an interruption, or of one
/// that is replayed.
pub struct JournaledSession<'a> {
    session: Session<'a>,
    journal: Journal,
    resent_calls: u64,
    error: Option<String>,
}

/// What the caller has to do next, since the journal does not hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Send a request and add the response.
    Call {
        /// The request.
        request: ModelRequest,
        /// What identifies it.
        hash: String,
        /// Copies of it that were sent before.
        sent: u32,
    },
    /// Search the web and add the result.
    Search(SearchRequest),
    /// Give up the attempt: the journal holds another request for this step.
    Changed {
        /// The step, from 1.
        step: u32,
    },
    /// Nothing: the day has ended.
    Ended(EndReason),
}

/// Why a session cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournaledSessionError {
    /// An entry of the journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The session did not request what was added.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// A session that has ended, and what is reported of it.
pub struct FinishedSession<'a> {
    /// How the session ended.
    pub ended: EndedSession<'a>,
    /// Its report.
    pub report: AgentReport,
    /// The endpoint's error, when the endpoint failed for good.
    pub error: Option<String>,
}

impl<'a> JournaledSession<'a> {
    /// A session at its beginning.
    pub fn new(session: Session<'a>, journal: Journal) -> Self {
        Self { session, journal, resent_calls: 0, error: None }
    }

    /// Goes on as far as the journal reaches.
    ///
    /// # Errors
    /// When an entry of the journal cannot be read.
    pub fn next_step(&mut self) -> Result<NextStep, JournaledSessionError> {
        loop {
            match self.session.next() {
                Next::Ended(reason) => return Ok(NextStep::Ended(reason)),
                Next::Call(request) => {
                    if let Some(step) = self.read_call(request)? {
                        return Ok(step);
                    }
                }
                Next::Search(search) => {
                    let entry = self.journal.entry(search.step, search.index.saturating_add(1));
                    let entry = entry.filter(|entry| entry.kind == EntryKind::Search);
                    match entry.and_then(|entry| entry.answer.clone()) {
                        Some(result) => self.session.add_search_result(search.index, &result)?,
                        None => return Ok(NextStep::Search(search)),
                    }
                }
            }
        }
    }

    /// Adds the response to `request` from the journal. Returns the next step when the journal has none.
    fn read_call(&mut self, request: ModelRequest) -> Result<Option<NextStep>, JournaledSessionError> {
        let hash = request_hash(&request.body);
        let Some(entry) = self.journal.entry(request.step, 0) else {
            return Ok(Some(NextStep::Call { request, hash, sent: 0 }));
        };
        let (lost, sent) = (entry.lost_copies(), entry.sent);
        if entry.kind == EntryKind::Stop {
            let reason = entry.stop_reason()?;
            (0..lost).for_each(|_| self.count_lost_call());
            self.stop(reason);
            return Ok(None);
        }
        if entry.hash.as_ref() != Some(&hash) {
            return Ok(Some(NextStep::Changed { step: request.step }));
        }
        let response = entry.response()?;
        (0..lost).for_each(|_| self.count_lost_call());
        let Some(response) = response else { return Ok(Some(NextStep::Call { request, hash, sent })) };
        self.add_response(&response)?;
        Ok(None)
    }

    /// Adds the response to the current request: a message, or a failure that is not tried again.
    ///
    /// # Errors
    /// When the session waits for no response.
    pub fn add_response(&mut self, response: &ModelResponse) -> Result<(), SessionError> {
        if let ModelResponse::Failed(failure) = response {
            self.error = Some(format!("the endpoint failed ({}): {}", failure.class.as_str(), failure.text));
        }
        self.session.add_response(response)
    }

    /// Adds the result of the current search, as text for the model.
    ///
    /// # Errors
    /// When the session waits for no search with this index.
    pub fn add_search_result(&mut self, index: u32, result: &str) -> Result<(), SessionError> {
        self.session.add_search_result(index, result)
    }

    /// Counts a copy of the current call whose response was lost: it may have been billed.
    pub fn count_lost_call(&mut self) {
        self.session.count_lost_call();
        self.resent_calls = self.resent_calls.saturating_add(1);
    }

    /// Ends the day for a reason that only the caller knows.
    pub fn stop(&mut self, reason: EndReason) {
        self.session.stop(reason);
    }

    /// The step of the last request, from 1; 0 before the first.
    pub fn step(&self) -> u32 {
        self.session.step()
    }

    /// The session.
    pub fn session(&self) -> &Session<'a> {
        &self.session
    }

    /// Ends the session.
    pub fn finish(self) -> FinishedSession<'a> {
        let ended = self.session.finish();
        let report = AgentReport {
            reason: ended.reason.as_str().to_owned(),
            summary: ended.summary.clone(),
            spent: ended.spent.clone(),
            possibly_paid_twice: self.resent_calls,
            tool_calls: Some(ended.tool_calls),
        };
        FinishedSession { ended, report, error: self.error }
    }
}
