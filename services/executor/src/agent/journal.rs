//! The journal of an open attempt: collects entries, and writes them with the next commit.

use std::collections::BTreeSet;
use std::time::Instant;

use domain::agent::{EndReason, EntryKind};
use storage::execution::agents::{
    Attempt, CallPermission, CallResponse, EntryResult, Intent, StepCommit, commit_step, read_journal,
    record_refusal,
};
use storage::execution::{Durable, Lane};
use storage::{PgPool, StorageError};

/// Writes the journal of an open attempt.
pub(super) struct JournalWriter<'a> {
    pool: &'a PgPool,
    lane: &'a Lane,
    attempt: &'a Attempt,
    known: BTreeSet<(u32, u32)>,
    response: Option<CallResponse>,
    results: Vec<EntryResult>,
    since: Instant,
    active_ms: u64,
}

impl<'a> JournalWriter<'a> {
    /// Begins with what is stored; answers that too.
    pub(super) async fn open(
        pool: &'a PgPool,
        lane: &'a Lane,
        attempt: &'a Attempt,
    ) -> Result<(Self, domain::agent::Journal), StorageError> {
        let recording = match attempt.fresh {
            true => domain::agent::Journal::default(),
            false => {
                read_journal(pool, lane.portfolio, attempt.date, attempt.revision, attempt.number).await?
            }
        };
        let known = recording.entries().map(|entry| (entry.step, entry.index)).collect();
        let (since, active_ms) = (Instant::now(), attempt.active_ms);
        Ok((
            Self { pool, lane, attempt, known, response: None, results: Vec::new(), since, active_ms },
            recording,
        ))
    }

    /// Milliseconds worked on the attempt, waits between turns left out.
    pub(super) fn active_ms(&self) -> u64 {
        self.active_ms.saturating_add(millis(self.since))
    }

    /// Adds the response to a call.
    pub(super) fn add_response(&mut self, response: CallResponse) {
        self.response = Some(response);
    }

    /// Adds a result of a tool or a search; the first of a place stays.
    pub(super) fn add_result(&mut self, step: u32, index: u32, kind: EntryKind, text: String) {
        if self.known.insert((step, index)) {
            self.results.push(EntryResult { step, index, kind, text });
        }
    }

    /// Adds that the day was ended from outside before `step`.
    pub(super) fn stop(&mut self, step: u32, reason: EndReason) {
        self.results.push(EntryResult {
            step,
            index: 0,
            kind: EntryKind::Stop,
            text: reason.as_str().to_owned(),
        });
    }

    /// Commits all that was added, with the intent of a call.
    pub(super) async fn intend(&mut self, intent: &Intent<'_>) -> Result<CallPermission, StorageError> {
        self.write(Some(intent), Durable::AtOnce).await
    }

    /// Commits all that was added, if anything was.
    pub(super) async fn flush(&mut self, durable: Durable) -> Result<(), StorageError> {
        if self.response.is_some() || !self.results.is_empty() {
            self.write(None, durable).await?;
        }
        Ok(())
    }

    async fn write(
        &mut self,
        intent: Option<&Intent<'_>>,
        durable: Durable,
    ) -> Result<CallPermission, StorageError> {
        let active = millis(self.since);
        let (response, results) = (self.response.take(), std::mem::take(&mut self.results));
        let step =
            StepCommit { response: response.as_ref(), results: &results, intent, active_ms: active, durable };
        let permission = commit_step(self.pool, self.lane, self.attempt, step).await?;
        self.active_ms = self.active_ms.saturating_add(active);
        self.since = Instant::now();
        Ok(permission)
    }

    /// Notes that a call came back refused, which costs nothing.
    pub(super) async fn refused(&self, step: u32, refusal: &str) -> Result<(), StorageError> {
        record_refusal(self.pool, self.lane, self.attempt, (step, 0), refusal).await
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
