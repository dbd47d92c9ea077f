//! The events of one stream: it reads the log itself until it has caught up, then follows the feed, and reads the log
//! itself again when it has missed a batch.

use std::sync::Arc;
use std::time::Duration;

use domain::values::ids::JobId;
use messaging::topology;
use storage::status::{
    EventFilter, FeedEvent, SelectedEvents, log_end, log_lacks, selected_events, selected_job_events,
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;

use super::{Batch, Feed, MAX_PAGE};

/// Wait after the log could not be read.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Time between two looks whether an ended job's last event has come.
const END_INTERVAL: Duration = Duration::from_millis(500);
/// How long a stream goes on after its job's end for an event that an outbox has and that does not come: it may be one
/// that was rejected.
const MAX_ENDING: Duration = Duration::from_secs(60);

/// Which events a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of all jobs, numbered by position in the log.
    All,
    /// Those of one job, numbered within the job.
    Job(JobId),
}

impl Scope {
    /// The number of an event; consecutive events have consecutive numbers.
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

/// The next item of a stream.
#[derive(Debug)]
pub(crate) enum StreamItem {
    /// These events, in order.
    Events(Vec<Arc<FeedEvent>>),
    /// No event for the heartbeat interval.
    Heartbeat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// There may be events that the stream has not read.
    Behind,
    /// The stream has all events up to this position, and follows the feed.
    Following(i64),
    /// The job has ended, and the stream has all of its events up to this position. Another service may still send one.
    Ending(i64),
}

#[derive(Debug)]
pub(crate) struct EventStream {
    feed: Feed,
    batches: broadcast::Receiver<Arc<Batch>>,
    scope: Scope,
    filter: EventFilter,
    /// The number of the last event that the stream has, or that it leaves out.
    cursor: i64,
    mode: Mode,
    heartbeat: Duration,
    /// When the next heartbeat is due.
    heartbeat_at: Instant,
    /// When the job was first seen as ended.
    ended_at: Option<Instant>,
}

impl EventStream {
    /// A stream of the selected events after `cursor`. Without events it yields a heartbeat at each interval.
    pub(crate) fn new(
        feed: Feed,
        scope: Scope,
        filter: EventFilter,
        cursor: i64,
        heartbeat: Duration,
    ) -> Self {
        metrics::gauge!("modelday_event_streams").increment(1.0);
        let batches = feed.0.batches.subscribe();
        let heartbeat_at = Instant::now() + heartbeat;
        let mode = Mode::Behind;
        Self { feed, batches, scope, filter, cursor, mode, heartbeat, heartbeat_at, ended_at: None }
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// The next item; `None` after the end of the job, or when this process stops.
    pub(crate) async fn next(&mut self) -> Option<StreamItem> {
        let stop = self.feed.0.stop.clone();
        let item = tokio::select! {
            () = stop.cancelled() => None,
            item = self.next_item() => item,
        };
        self.heartbeat_at = Instant::now() + self.heartbeat;
        item
    }

    async fn next_item(&mut self) -> Option<StreamItem> {
        loop {
            let events = match self.mode {
                Mode::Ending(covered) => {
                    if self.has_ended().await {
                        return None;
                    }
                    if self.mode == Mode::Behind {
                        continue;
                    }
                    match tokio::time::timeout(END_INTERVAL, self.batches.recv()).await {
                        Err(_) if Instant::now() >= self.heartbeat_at => return Some(StreamItem::Heartbeat),
                        Err(_) => continue,
                        Ok(received) => match self.follow(received, covered) {
                            Some(events) => events,
                            None => return None,
                        },
                    }
                }
                Mode::Behind => match self.read().await {
                    Ok(events) => events,
                    Err(problem) => {
                        tracing::warn!("a stream of events waits for the log: {problem}");
                        tokio::time::sleep(RETRY_DELAY).await;
                        return Some(StreamItem::Heartbeat);
                    }
                },
                Mode::Following(covered) => {
                    match tokio::time::timeout_at(self.heartbeat_at, self.batches.recv()).await {
                        Err(_) => return Some(StreamItem::Heartbeat),
                        Ok(received) => match self.follow(received, covered) {
                            Some(events) => events,
                            None => return None,
                        },
                    }
                }
            };
            if !events.is_empty() {
                return Some(StreamItem::Events(events));
            }
        }
    }

    /// The events of what the feed has handed on; `None` when it hands on no more.
    fn follow(
        &mut self,
        received: Result<Arc<Batch>, RecvError>,
        covered: i64,
    ) -> Option<Vec<Arc<FeedEvent>>> {
        match received {
            Ok(batch) => Some(self.take(&batch, covered)),
            Err(RecvError::Lagged(_)) => {
                self.mode = Mode::Behind;
                Some(Vec::new())
            }
            Err(RecvError::Closed) => None,
        }
    }

    /// Whether the stream of an ended job has all of its events, as far as that can be waited for. If it lacks one of the
    /// log, it is behind.
    async fn has_ended(&mut self) -> bool {
        let Scope::Job(job) = self.scope else { return false };
        let is_late = self.ended_at.get_or_insert_with(Instant::now).elapsed() >= MAX_ENDING;
        let pool = &self.feed.0.pool;
        let ended = async {
            if !is_late && log_lacks(pool, job, topology::EVENTS).await? {
                return Ok(Some(false));
            }
            let last = log_end(pool, job).await?.map_or(0, |end| end.last_seq);
            storage::Result::Ok((last <= self.cursor).then_some(true))
        };
        match ended.await {
            Ok(Some(ended)) => ended,
            Ok(None) => {
                self.mode = Mode::Behind;
                false
            }
            Err(problem) => {
                tracing::warn!("whether a stream of events has ended is not known: {problem}");
                is_late
            }
        }
    }

    /// The next page of the log.
    async fn read(&mut self) -> storage::Result<Vec<Arc<FeedEvent>>> {
        let shared = self.feed.0.clone();
        let _permit = shared.readers.acquire().await;
        let (selected, caught_up) = match self.scope {
            Scope::All => {
                let selected = selected_events(&shared.pool, &self.filter, self.cursor, MAX_PAGE).await?;
                let through = selected.through;
                (selected, Mode::Following(through))
            }
            Scope::Job(job) => {
                // The end of the log is read before the events, so that all events up to it are among those read.
                let end = log_end(&shared.pool, job).await?;
                let last_seq = end.map_or(0, |end| end.last_seq);
                let (filter, after) = (&self.filter, self.cursor);
                let selected =
                    selected_job_events(&shared.pool, job, filter, after, MAX_PAGE, last_seq).await?;
                let ended = end.is_some_and(|end| end.ended && selected.through >= end.last_seq)
                    || selected.events.last().is_some_and(|event| event.ends_job);
                let covered = end.map_or(0, |end| end.last_position);
                (selected, if ended { Mode::Ending(covered) } else { Mode::Following(covered) })
            }
        };
        let SelectedEvents { events, through, is_end } = selected;
        if is_end {
            self.mode = caught_up;
        }
        self.cursor = through;
        Ok(events.into_iter().map(Arc::new).collect())
    }

    /// The events of a batch that belong to the stream and come after `covered`, up to where the stream has all events.
    fn take(&mut self, batch: &Batch, covered: i64) -> Vec<Arc<FeedEvent>> {
        if batch.to <= covered {
            return Vec::new();
        }
        // A batch does not say which jobs have the model or the experiment; the log does.
        if batch.from > covered || self.filter.needs_the_log() {
            self.mode = Mode::Behind;
            return Vec::new();
        }
        self.mode = match self.mode {
            Mode::Ending(_) => Mode::Ending(batch.to),
            Mode::Behind | Mode::Following(_) => Mode::Following(batch.to),
        };
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
                self.mode = Mode::Ending(batch.to);
            }
            if self.filter.admits(event) {
                taken.push(event.clone());
            }
        }
        taken
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        metrics::gauge!("modelday_event_streams").decrement(1.0);
    }
}
