//! One stream's way along the log: it reads for itself until it has caught up, follows what is handed to all, and
//! reads for itself again when it has missed something.

use std::sync::Arc;
use std::time::Duration;

use domain::values::ids::JobId;
use storage::status::{FeedEvent, events_after, job_events_after, standing};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;

use super::{Batch, Feed, PAGE};

/// How long a stream waits before it asks a Postgres that did not answer again.
const PAUSE: Duration = Duration::from_secs(1);

/// Which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of all jobs, by position.
    All,
    /// Those of one, by number.
    Job(JobId),
}

impl Scope {
    /// What an event is counted by; 1 more with each.
    pub(crate) fn number(self, event: &FeedEvent) -> i64 {
        match self {
            Self::All => event.position,
            Self::Job(_) => event.seq,
        }
    }

    fn has(self, event: &FeedEvent) -> bool {
        match self {
            Self::All => true,
            Self::Job(job) => event.job_id == job.0,
        }
    }
}

/// What a stream is to show.
#[derive(Debug)]
pub(crate) enum Step {
    /// These events, in order.
    Events(Vec<Arc<FeedEvent>>),
    /// That it is still there.
    Quiet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// There may be events that it has not read.
    Behind,
    /// It has everything up to this position.
    Following(i64),
    /// The job has ended.
    Ended,
}

/// A stream's way.
#[derive(Debug)]
pub(crate) struct Walk {
    feed: Feed,
    batches: broadcast::Receiver<Arc<Batch>>,
    scope: Scope,
    cursor: i64,
    mode: Mode,
    heartbeat: Duration,
    /// When it has shown nothing for too long.
    silent: Instant,
}

impl Walk {
    /// The way from after `cursor` on. A stream with nothing to show says so each `heartbeat`.
    pub(crate) fn new(feed: Feed, scope: Scope, cursor: i64, heartbeat: Duration) -> Self {
        metrics::gauge!("modelday_event_streams").increment(1.0);
        let batches = feed.0.batches.subscribe();
        let silent = Instant::now() + heartbeat;
        Self { feed, batches, scope, cursor, mode: Mode::Behind, heartbeat, silent }
    }

    /// Which events it shows.
    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// What comes next; `None` when the job has ended, or this process does.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        let stop = self.feed.0.stop.clone();
        let step = tokio::select! {
            () = stop.cancelled() => None,
            step = self.step() => step,
        };
        self.silent = Instant::now() + self.heartbeat;
        step
    }

    async fn step(&mut self) -> Option<Step> {
        loop {
            let events = match self.mode {
                Mode::Ended => return None,
                Mode::Behind => match self.read().await {
                    Ok(events) => events,
                    Err(problem) => {
                        tracing::warn!("a stream of events waits for the log: {problem}");
                        tokio::time::sleep(PAUSE).await;
                        return Some(Step::Quiet);
                    }
                },
                Mode::Following(covered) => {
                    match tokio::time::timeout_at(self.silent, self.batches.recv()).await {
                        Err(_) => return Some(Step::Quiet),
                        Ok(Ok(batch)) => self.take(&batch, covered),
                        Ok(Err(RecvError::Lagged(_))) => {
                            self.mode = Mode::Behind;
                            continue;
                        }
                        Ok(Err(RecvError::Closed)) => return None,
                    }
                }
            };
            if !events.is_empty() {
                return Some(Step::Events(events));
            }
        }
    }

    /// The next page of the log.
    async fn read(&mut self) -> storage::Result<Vec<Arc<FeedEvent>>> {
        let shared = self.feed.0.clone();
        let _turn = shared.readers.acquire().await;
        let (events, caught_up) = match self.scope {
            Scope::All => {
                let events = events_after(&shared.pool, self.cursor, PAGE).await?;
                let last = events.last().map_or(self.cursor, |event| event.position);
                (events, Mode::Following(last))
            }
            Scope::Job(job) => {
                // First how far the log is, then the events: none up to there is missed.
                let standing = standing(&shared.pool, job).await?;
                let events = job_events_after(&shared.pool, job, self.cursor, PAGE).await?;
                let last = events.last().map_or(self.cursor, |event| event.seq);
                let ended = standing.is_some_and(|standing| standing.ended && last >= standing.last_seq)
                    || events.last().is_some_and(|event| event.ends_job);
                let covered = standing.map_or(0, |standing| standing.last_position);
                (events, if ended { Mode::Ended } else { Mode::Following(covered) })
            }
        };
        if events.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            self.mode = caught_up;
        }
        if let Some(last) = events.last() {
            self.cursor = self.scope.number(last);
        }
        Ok(events.into_iter().map(Arc::new).collect())
    }

    /// Those of a batch that it shows, when everything up to `covered` was shown before.
    fn take(&mut self, batch: &Batch, covered: i64) -> Vec<Arc<FeedEvent>> {
        if batch.to <= covered {
            return Vec::new();
        }
        if batch.from > covered {
            self.mode = Mode::Behind;
            return Vec::new();
        }
        self.mode = Mode::Following(batch.to);
        let mut taken = Vec::new();
        for event in batch.events.iter().filter(|event| self.scope.has(event)) {
            let number = self.scope.number(event);
            if number <= self.cursor {
                continue;
            }
            if number != self.cursor + 1 {
                self.mode = Mode::Behind;
                break;
            }
            self.cursor = number;
            if event.ends_job && self.scope != Scope::All {
                self.mode = Mode::Ended;
            }
            taken.push(event.clone());
        }
        taken
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        metrics::gauge!("modelday_event_streams").decrement(1.0);
    }
}
