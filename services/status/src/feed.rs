//! One reader of the event log for all streams of this process: what it reads is handed to each of them, so that a
//! thousand streams ask Postgres no more than one does.

mod walk;

use std::sync::Arc;
use std::time::Duration;

use runtime::CancellationToken;
use storage::status::{Announcements, FeedEvent, events_after, last_position};
use storage::{Database, PgPool};
use tokio::sync::{Notify, Semaphore, broadcast};

pub(crate) use walk::{Scope, Step, Walk};

/// Events read at once.
const PAGE: i64 = 200;
/// Batches that a slow stream may lag behind before it has to read for itself.
const BACKLOG: usize = 64;
/// Streams that read for themselves at once: other requests need connections too.
const READERS: usize = 4;
/// How often the log is looked at when nothing was announced.
const POLL: Duration = Duration::from_secs(1);

/// Events that became visible together.
#[derive(Debug)]
struct Batch {
    /// The position before them; whoever has not come so far has missed some.
    from: i64,
    /// The position of the last.
    to: i64,
    events: Vec<Arc<FeedEvent>>,
}

/// The log as streams of this process see it.
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
        let (wake, readers) = (Notify::new(), Semaphore::new(READERS));
        Self(Arc::new(Shared { pool, batches: broadcast::Sender::new(BACKLOG), wake, readers, stop }))
    }

    /// Reads for the streams until it is stopped; `database` is where new events are announced.
    pub(crate) async fn run(self, database: Database) {
        tokio::select! {
            () = self.0.stop.cancelled() => {}
            () = self.listen(&database) => {}
            () = self.tail() => {}
        }
    }

    async fn listen(&self, database: &Database) {
        loop {
            if let Err(problem) = self.announced(database).await {
                tracing::warn!(
                    "new events are looked for each second until they are announced again: {problem}"
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Wakes the reader whenever something was announced.
    async fn announced(&self, database: &Database) -> storage::Result<()> {
        let mut announcements = Announcements::listen(database).await?;
        loop {
            self.0.wake.notify_one();
            announcements.next().await?;
        }
    }

    async fn tail(&self) {
        let mut last = None;
        loop {
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            match self.read(last).await {
                Ok(position) => last = position,
                // Whatever was sent before is sent again, which streams notice.
                Err(problem) => tracing::warn!("the event log cannot be read: {problem}"),
            }
        }
    }

    /// Hands on what came after `last`; answers up to where. `None` stands for nobody listening.
    async fn read(&self, last: Option<i64>) -> storage::Result<Option<i64>> {
        if self.0.batches.receiver_count() == 0 {
            return Ok(None);
        }
        let Some(mut last) = last else {
            let position = last_position(&self.0.pool).await?;
            // Streams that began before, and have not come so far, read for themselves.
            self.hand_on(Batch { from: position, to: position, events: Vec::new() });
            return Ok(Some(position));
        };
        loop {
            let events = events_after(&self.0.pool, last, PAGE).await?;
            let Some(to) = events.last().map(|event| event.position) else { return Ok(Some(last)) };
            let more = i64::try_from(events.len()).is_ok_and(|count| count == PAGE);
            self.hand_on(Batch { from: last, to, events: events.into_iter().map(Arc::new).collect() });
            last = to;
            if !more {
                return Ok(Some(last));
            }
        }
    }

    fn hand_on(&self, batch: Batch) {
        // Without a receiver there is nobody to miss it.
        let _ = self.0.batches.send(Arc::new(batch));
    }
}
