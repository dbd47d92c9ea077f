//! What an attempt has heard so far, and what is to be written with the next commit.

use std::collections::BTreeSet;
use std::time::Instant;

use domain::agent::{EndReason, EntryKind};
use storage::execution::agents::{
    Attempt, Call, Intent, Settled, Step, Told, note_refusal, read_journal, write_journal,
};
use storage::execution::{Durable, Lane};
use storage::{PgPool, StorageError};

/// The journal of an open attempt.
pub(super) struct Journal<'a> {
    pool: &'a PgPool,
    lane: &'a Lane,
    attempt: &'a Attempt,
    known: BTreeSet<(u32, u32)>,
    settled: Option<Settled>,
    told: Vec<Told>,
    since: Instant,
    active_ms: u64,
}

impl<'a> Journal<'a> {
    /// Reads what there is.
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
            Self { pool, lane, attempt, known, settled: None, told: Vec::new(), since, active_ms },
            recording,
        ))
    }

    /// Milliseconds worked on the attempt, waits between turns left out.
    pub(super) fn active_ms(&self) -> u64 {
        self.active_ms.saturating_add(millis(self.since))
    }

    /// Notes the answer to a call.
    pub(super) fn settle(&mut self, settled: Settled) {
        self.settled = Some(settled);
    }

    /// Notes a result of a tool or a search; the first of a place stays.
    pub(super) fn tell(&mut self, step: u32, index: u32, kind: EntryKind, answer: String) {
        if self.known.insert((step, index)) {
            self.told.push(Told { step, index, kind, answer });
        }
    }

    /// Notes that the day was ended from outside before `step`.
    pub(super) fn stop(&mut self, step: u32, reason: EndReason) {
        self.told.push(Told { step, index: 0, kind: EntryKind::Stop, answer: reason.as_str().to_owned() });
    }

    /// Commits all that was noted, with the intent of a call.
    pub(super) async fn intend(&mut self, intent: &Intent<'_>) -> Result<Call, StorageError> {
        self.write(Some(intent), Durable::AtOnce).await
    }

    /// Commits all that was noted, if anything was.
    pub(super) async fn flush(&mut self, durable: Durable) -> Result<(), StorageError> {
        if self.settled.is_some() || !self.told.is_empty() {
            self.write(None, durable).await?;
        }
        Ok(())
    }

    async fn write(&mut self, intent: Option<&Intent<'_>>, durable: Durable) -> Result<Call, StorageError> {
        let active = millis(self.since);
        let (settled, told) = (self.settled.take(), std::mem::take(&mut self.told));
        let step = Step { settled: settled.as_ref(), told: &told, intent, active_ms: active, durable };
        let call = write_journal(self.pool, self.lane, self.attempt, step).await?;
        self.active_ms = self.active_ms.saturating_add(active);
        self.since = Instant::now();
        Ok(call)
    }

    /// Notes that a call came back refused, which costs nothing.
    pub(super) async fn refused(&self, step: u32, refusal: &str) -> Result<(), StorageError> {
        note_refusal(self.pool, self.lane, self.attempt, (step, 0), refusal).await
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
