//! One reader of the event log for all streams of this process: each batch that it reads goes to all streams, so that a
//! thousand streams cost Postgres no more than one.

pub(crate) mod event_stream;

use std::sync::Arc;
use std::time::Duration;

use runtime::CancellationToken;
use runtime::parts::Part;
use storage::status::{EventNotifications, FeedEvent, events_after, last_position};
use storage::{Database, PgPool};
use tokio::sync::{Notify, Semaphore, broadcast};

/// Most events read by one statement.
const MAX_PAGE: i64 = 200;
/// Batches that a slow stream may lag behind before it must read the log itself.
const MAX_LAG: usize = 64;
/// Streams that may read the log themselves at the same time: other requests need connections too.
const MAX_READERS: usize = 4;
/// How often the log is read when no event is announced.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Events that became visible together.
#[derive(Debug)]
struct Batch {
    /// The position before the first; a stream that has not reached it has missed events.
    from: i64,
    /// The position of the last.
    to: i64,
    events: Vec<Arc<FeedEvent>>,
}

/// The source of new events for the streams of this process.
#[derive(Debug, Clone)]
pub(crate) struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    batches: broadcast::Sender<Arc<Batch>>,
    wake: Notify,
    readers: Semaphore,
    stop: CancellationToken,
}

impl Feed {
    /// A feed whose streams end with `stop`.
    pub(crate) fn new(pool: PgPool, stop: CancellationToken) -> Self {
        let (wake, readers) = (Notify::new(), Semaphore::new(MAX_READERS));
        Self(Arc::new(Shared { pool, batches: broadcast::Sender::new(MAX_LAG), wake, readers, stop }))
    }

    /// Reads new events until it is stopped; `database` announces them.
    pub(crate) async fn run(self, database: Database, part: Part) {
        tokio::select! {
            () = self.0.stop.cancelled() => {}
            () = self.listen(&database) => {}
            () = self.tail(&part) => {}
        }
    }

    async fn listen(&self, database: &Database) {
        loop {
            if let Err(problem) = self.wake_on_announcements(database).await {
                tracing::warn!(
                    "new events are looked for each second until they are announced again: {problem}"
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Wakes the reader at each announcement.
    async fn wake_on_announcements(&self, database: &Database) -> storage::Result<()> {
        let mut announcements = EventNotifications::listen(database).await?;
        loop {
            self.0.wake.notify_one();
            announcements.next().await?;
        }
    }

    async fn tail(&self, part: &Part) {
        let mut last = None;
        loop {
            part.round();
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
            let read = self.read(last).await;
            part.note(&read);
            match read {
                Ok(position) => last = position,
                // The next read starts at the same position; streams skip what they have already.
                Err(problem) => tracing::warn!("the event log cannot be read: {problem}"),
            }
        }
    }

    /// Hands on the events after `last` and returns the position of the last one; `None` when there is no stream.
    async fn read(&self, last: Option<i64>) -> storage::Result<Option<i64>> {
        if self.0.batches.receiver_count() == 0 {
            return Ok(None);
        }
        let Some(mut last) = last else {
            let position = last_position(&self.0.pool).await?;
            // A stream that has not reached this position reads the log itself.
            self.hand_on(Batch { from: position, to: position, events: Vec::new() });
            return Ok(Some(position));
        };
        loop {
            let events = events_after(&self.0.pool, last, MAX_PAGE).await?;
            let Some(to) = events.last().map(|event| event.position) else { return Ok(Some(last)) };
            let more = i64::try_from(events.len()).is_ok_and(|count| count == MAX_PAGE);
            self.hand_on(Batch { from: last, to, events: events.into_iter().map(Arc::new).collect() });
            last = to;
            if !more {
                return Ok(Some(last));
            }
        }
    }

    fn hand_on(&self, batch: Batch) {
        // An error means that there is no stream.
        let _ = self.0.batches.send(Arc::new(batch));
    }
}
