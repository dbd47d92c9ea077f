//! The journal of an attempt: each request of a day and its response, in order.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::end_reason::EndReason;
use super::response::ModelResponse;

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A call of the model.
    Call,
    /// A web search.
    Search,
    /// A tool that works on our own data.
    Tool,
    /// The day was ended from outside: the answer is the reason's name.
    Stop,
}

impl EntryKind {
    const ALL: [Self; 4] = [Self::Call, Self::Search, Self::Tool, Self::Stop];

    /// The kind's name in rows and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Search => "search",
            Self::Tool => "tool",
            Self::Stop => "stop",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What is known of one call, search or tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The step, from 1.
    pub step: u32,
    /// 0 for the call; its tools and searches are counted from 1 in their order.
    pub index: u32,
    /// What it is.
    pub kind: EntryKind,
    /// [`request_hash`] of the request; tools have none.
    pub hash: Option<String>,
    /// How often it was sent.
    pub sent: u32,
    /// How often it was refused without a bill.
    pub refused: u32,
    /// The answer; `None` until it has arrived.
    pub answer: Option<String>,
}

/// An entry holds an answer that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the recorded answer of step {step} is none: {problem}")]
pub struct JournalError {
    /// The step, from 1.
    pub step: u32,
    /// What is wrong with it.
    pub problem: String,
}

impl Entry {
    /// Copies of the call that were sent and neither refused nor answered.
    pub fn lost_copies(&self) -> u32 {
        let answered = self.kind == EntryKind::Call && self.answer.is_some();
        self.sent.saturating_sub(self.refused.saturating_add(u32::from(answered)))
    }

    /// The response to a call; `None` until it has arrived.
    ///
    /// # Errors
    /// When the answer is no response.
    pub fn response(&self) -> Result<Option<ModelResponse>, JournalError> {
        let response = self.answer.as_deref().map(serde_json::from_str).transpose();
        response.map_err(|problem| self.unreadable(&problem.to_string()))
    }

    /// Why the day was ended from outside.
    ///
    /// # Errors
    /// When the answer is no reason.
    pub fn stop_reason(&self) -> Result<EndReason, JournalError> {
        let reason = self.answer.as_deref().unwrap_or_default().parse();
        reason.map_err(|problem| self.unreadable(&format!("{problem}")))
    }

    fn unreadable(&self, problem: &str) -> JournalError {
        JournalError { step: self.step, problem: problem.to_owned() }
    }
}

/// The entries of an attempt by step and index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal(BTreeMap<(u32, u32), Entry>);

impl Journal {
    /// The entry of a call (`index` 0), or of the tool or search after it.
    pub fn entry(&self, step: u32, index: u32) -> Option<&Entry> {
        self.0.get(&(step, index))
    }

    /// All entries, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.0.values()
    }
}

impl FromIterator<Entry> for Journal {
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        Self(entries.into_iter().map(|entry| ((entry.step, entry.index), entry)).collect())
    }
}

/// What identifies a request: SHA-256 of its body, as hexadecimal text.
pub fn request_hash(body: &str) -> String {
    Sha256::digest(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
