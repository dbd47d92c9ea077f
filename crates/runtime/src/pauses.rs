//! What operators have paused, as this process read it last. It is read twice a second, so that work looks into memory alone.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use domain::job::pause::{Pause, PauseKind, Queue};
use messaging::ConsumeError;
use storage::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::parts::Part;

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(500);
/// How long messages in hand may take after shutdown; those of a queue that is paused may take as long as they do.
const GRACE: Duration = Duration::from_secs(20);

/// The pauses. Clones share what was read.
#[derive(Debug, Clone)]
pub struct Pauses(watch::Sender<BTreeSet<(PauseKind, String)>>);

impl Default for Pauses {
    fn default() -> Self {
        Self(watch::Sender::new(BTreeSet::new()))
    }
}

impl Pauses {
    /// Whether nothing is paused.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Whether it is paused.
    pub fn has(&self, kind: PauseKind, name: &str) -> bool {
        contains(&self.0.borrow(), kind, name)
    }

    /// Whether the queue is paused.
    pub fn has_queue(&self, queue: Queue) -> bool {
        self.has(PauseKind::Queue, queue.as_str())
    }

    /// Waits until it is paused.
    pub async fn paused(&self, kind: PauseKind, name: &str) {
        self.until(|paused| contains(paused, kind, name)).await;
    }

    /// Reads what is paused.
    pub async fn read(&self, pool: &PgPool) -> storage::Result<()> {
        let read = storage::pauses(pool).await?;
        let read = read.into_iter().map(|Pause { kind, name, .. }| (kind, name)).collect();
        self.0.send_if_modified(|paused| {
            let is_other = *paused != read;
            *paused = read;
            is_other
        });
        Ok(())
    }

    /// Reads what is paused until `shutdown`; `part` shows it. While Postgres does not answer, what was read last counts.
    pub async fn keep(self, pool: PgPool, part: Part, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
            part.round();
            part.note(&self.read(&pool).await);
        }
    }

    /// Consumes while `queue` is not paused, until `shutdown`. `consume` begins to consume until the token that it gets is
    /// cancelled, and then finishes what is in hand, however long that takes.
    ///
    /// # Errors
    /// Those of `consume`.
    pub async fn unless_paused<F>(
        self,
        queue: Queue,
        shutdown: CancellationToken,
        consume: impl Fn(CancellationToken) -> F,
    ) -> Result<(), ConsumeError>
    where
        F: Future<Output = Result<(), ConsumeError>>,
    {
        let name = queue.as_str();
        loop {
            let resumed = self.until(|paused| !contains(paused, PauseKind::Queue, name));
            if shutdown.run_until_cancelled(resumed).await.is_none() {
                return Ok(());
            }
            let stop = shutdown.child_token();
            let mut consuming = pin!(consume(stop.clone()));
            tokio::select! {
                ended = &mut consuming => return ended,
                () = self.paused(PauseKind::Queue, name) => {
                    tracing::info!("queue {name} is paused: what is in hand is finished");
                    stop.cancel();
                }
                () = shutdown.cancelled() => {}
            }
            let overdue = async {
                shutdown.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                ended = &mut consuming => ended?,
                () = overdue => {
                    tracing::warn!("what is in hand of queue {name} was not finished within the grace period");
                    return Ok(());
                }
            }
        }
    }

    async fn until(&self, condition: impl Fn(&BTreeSet<(PauseKind, String)>) -> bool) {
        // An error means that there is no sender, and this is one.
        let _ = self.0.subscribe().wait_for(|paused| condition(paused)).await;
    }
}

fn contains(paused: &BTreeSet<(PauseKind, String)>, kind: PauseKind, name: &str) -> bool {
    paused.iter().any(|(of, named)| *of == kind && named == name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn set(pauses: &Pauses, paused: &[(PauseKind, &str)]) {
        pauses.0.send_replace(paused.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect());
    }

    #[tokio::test]
    async fn a_queue_is_consumed_again_after_each_pause_and_what_was_in_hand_is_finished() {
        const QUEUE: (PauseKind, &str) = (PauseKind::Queue, "executor");
        let (pauses, shutdown) = (Pauses::default(), CancellationToken::new());
        let (begun, finished) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let consume = {
            let (begun, finished) = (begun.clone(), finished.clone());
            move |stop: CancellationToken| {
                let (begun, finished) = (begun.clone(), finished.clone());
                async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                    stop.cancelled().await;
                    tokio::task::yield_now().await;
                    finished.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }
            }
        };
        set(&pauses, &[QUEUE]);
        let until = async |count: &AtomicUsize, expected| {
            while count.load(Ordering::SeqCst) < expected {
                tokio::task::yield_now().await;
            }
        };
        let consuming =
            tokio::spawn(pauses.clone().unless_paused(Queue::Executor, shutdown.clone(), consume));

        tokio::task::yield_now().await;
        assert_eq!(begun.load(Ordering::SeqCst), 0, "it is paused from the start");
        for round in 1..=2 {
            set(&pauses, &[(PauseKind::Queue, "downloader"), (PauseKind::Model, "executor")]);
            until(&begun, round).await;
            set(&pauses, &[QUEUE]);
            until(&finished, round).await;
        }
        shutdown.cancel();

        consuming.await.unwrap().unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }
}
