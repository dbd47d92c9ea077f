//! Commands that somebody waits for: whoever commits one hands it over, and it is on its way without being read again.
//!
//! The relay leaves such a message alone for a second. One that could not be sent, or that a crash cut off, it then
//! sends as any other.

use std::sync::Arc;

use messaging::Publisher;
use storage::outbox;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PACE, Relay};

/// What was sent and is not marked yet.
#[derive(Default)]
struct Unmarked {
    ids: Vec<i64>,
    since: Option<Instant>,
}

impl Relay {
    /// Sends what is handed over until `stop`, and what is left then.
    pub(super) async fn send_handed(self: Arc<Self>, publisher: Arc<Publisher>, stop: CancellationToken) {
        let mut unmarked = Unmarked::default();
        loop {
            let is_last = stop.is_cancelled();
            let handed = self.wake.take_handed();
            if !handed.is_empty() {
                let (confirmed, failure) = self.publish(&publisher, &handed).await;
                unmarked.ids.extend(confirmed);
                unmarked.since = unmarked.since.or(Some(Instant::now()));
                if let Some(problem) = failure {
                    tracing::debug!(
                        service = self.service,
                        "what was handed over waits for the relay: {problem}"
                    );
                }
            }
            let due = unmarked.since.map(|since| since + PACE);
            if due.is_some_and(|due| is_last || due <= Instant::now()) {
                self.mark(std::mem::take(&mut unmarked)).await;
                continue;
            }
            if is_last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.handed().notified() => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// What is not marked is sent again, which is no harm.
    async fn mark(&self, unmarked: Unmarked) {
        if let Err(problem) = outbox::mark_sent(&self.pool, &unmarked.ids).await {
            tracing::debug!(service = self.service, "messages are sent once more: {problem}");
        }
    }
}
