//! Commands that a lane waits for: the service that commits one hands it over, and it is sent without being read from
//! the outbox again.
//!
//! The relay leaves such a command alone for a second. If it was not sent by then, because the broker or this process
//! failed, the relay sends it like any other message.

use std::sync::Arc;
use std::time::Duration;

use contract::schema::SchemaLocation;
use messaging::Publisher;
use storage::{PgPool, outbox};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::publication::publish;
use super::wake::Wake;
use crate::parts::Part;

/// How long sent commands are collected before they are marked together, which costs less.
const MARK_DELAY: Duration = Duration::from_millis(50);

/// Sends what is handed over to `wake`.
pub(super) struct Handover {
    pub(super) pool: PgPool,
    pub(super) service: &'static str,
    pub(super) schemas: SchemaLocation,
    pub(super) wake: Wake,
    pub(super) publisher: Arc<Publisher>,
    pub(super) part: Part,
}

/// Commands that were sent and are not marked yet.
#[derive(Default)]
struct Unmarked {
    ids: Vec<i64>,
    since: Option<Instant>,
}

impl Handover {
    /// Sends commands until `stop`, and then what is left.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut unmarked = Unmarked::default();
        loop {
            let is_last = stop.is_cancelled();
            let commands = self.wake.take_commands();
            if !commands.is_empty() {
                let _work = self.part.work();
                let (confirmed, failure) =
                    publish(&self.publisher, self.service, &self.schemas, &commands).await;
                unmarked.ids.extend(confirmed);
                unmarked.since = unmarked.since.or(Some(Instant::now()));
                if let Some(problem) = failure {
                    tracing::debug!(
                        service = self.service,
                        "what was handed over waits for the relay: {problem}"
                    );
                }
            }
            let due = unmarked.since.map(|since| since + MARK_DELAY);
            if due.is_some_and(|due| is_last || due <= Instant::now()) {
                self.mark(std::mem::take(&mut unmarked)).await;
                continue;
            }
            if is_last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.handed_over().notified() => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// Marks commands as sent. A failure does no harm: they are sent a second time.
    async fn mark(&self, unmarked: Unmarked) {
        let _work = self.part.work();
        if let Err(problem) = outbox::mark_sent(&self.pool, &unmarked.ids).await {
            tracing::debug!(service = self.service, "messages are sent once more: {problem}");
        }
    }
}
