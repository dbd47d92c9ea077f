//! A session that is fed what its recording holds, before anybody else is asked.

use super::answer::Answer;
use super::end_reason::EndReason;
use super::journal::{Noted, Recording, RecordingError, request_hash};
use super::session::{Ask, Ended, Next, SearchFor, Session, SessionError};

/// A session with its recording. A day that goes on after an interruption and a day that is replayed are
/// both one of these.
pub struct Fed<'a> {
    session: Session<'a>,
    recording: Recording,
    again: u64,
    error: Option<String>,
}

/// What the recording does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The answer to a request.
    Ask {
        /// The request.
        ask: Ask,
        /// What identifies it.
        hash: String,
        /// Copies of it that were sent already.
        sent: u32,
    },
    /// The results of a search.
    Search(SearchFor),
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
pub enum FedError {
    /// An answer was stored that is none.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The session was told what it did not ask.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl<'a> Fed<'a> {
    /// A session at its beginning.
    pub fn new(session: Session<'a>, recording: Recording) -> Self {
        Self { session, recording, again: 0, error: None }
    }

    /// Goes on as far as the recording reaches. To be told what it wants before it is asked again.
    ///
    /// # Errors
    /// When the recording holds an answer that is none.
    pub fn wanted(&mut self) -> Result<Wanted, FedError> {
        loop {
            match self.session.next() {
                Next::Ended(reason) => return Ok(Wanted::Ended(reason)),
                Next::Ask(ask) => {
                    if let Some(wanted) = self.recall(ask)? {
                        return Ok(wanted);
                    }
                }
                Next::Search(wanted) => {
                    let known = self.recording.entry(wanted.step, wanted.index.saturating_add(1));
                    let known = known.filter(|entry| entry.kind == Noted::Search);
                    match known.and_then(|entry| entry.answer.clone()) {
                        Some(result) => self.session.searched(wanted.index, &result)?,
                        None => return Ok(Wanted::Search(wanted)),
                    }
                }
            }
        }
    }

    /// Tells what is recorded of the request; what is wanted instead, when that does not answer it.
    fn recall(&mut self, ask: Ask) -> Result<Option<Wanted>, FedError> {
        let hash = request_hash(&ask.body);
        let Some(entry) = self.recording.entry(ask.step, 0) else {
            return Ok(Some(Wanted::Ask { ask, hash, sent: 0 }));
        };
        let (lost, sent) = (entry.lost(), entry.sent);
        if entry.kind == Noted::Stop {
            let reason = entry.answer.as_deref().and_then(|reason| reason.parse().ok());
            (0..lost).for_each(|_| self.lost());
            self.stop(reason.unwrap_or(EndReason::NoDecision));
            return Ok(None);
        }
        if entry.hash.as_ref() != Some(&hash) {
            return Ok(Some(Wanted::Changed { step: ask.step }));
        }
        let heard = entry.heard()?;
        (0..lost).for_each(|_| self.lost());
        let Some(answer) = heard else { return Ok(Some(Wanted::Ask { ask, hash, sent })) };
        self.answered(&answer)?;
        Ok(None)
    }

    /// Tells the answer to the request that was wanted.
    ///
    /// # Errors
    /// When none was.
    pub fn answered(&mut self, answer: &Answer) -> Result<(), SessionError> {
        if let Answer::Failed(failure) = answer {
            self.error = Some(format!("the endpoint failed ({}): {}", failure.class.as_str(), failure.text));
        }
        self.session.answered(answer)
    }

    /// Tells the results of the search that was wanted.
    ///
    /// # Errors
    /// When no such search was.
    pub fn searched(&mut self, index: u32, result: &str) -> Result<(), SessionError> {
        self.session.searched(index, result)
    }

    /// Counts a copy of the wanted call that was sent and whose answer was lost: it may have been billed.
    pub fn lost(&mut self) {
        self.session.lost();
        self.again = self.again.saturating_add(1);
    }

    /// Ends the day from outside.
    pub fn stop(&mut self, reason: EndReason) {
        match reason {
            EndReason::BudgetExhausted => self.session.out_of_budget(),
            reason => self.session.stop(reason),
        }
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
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Calls that were sent again although an earlier copy may have been billed.
    pub fn again(&self) -> u64 {
        self.again
    }

    /// Ends the session; beside it what the endpoint said, when it failed for good.
    pub fn finish(self) -> (Ended<'a>, Option<String>) {
        (self.session.finish(), self.error)
    }
}
