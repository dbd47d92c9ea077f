//! That this process lives, as the other executors see it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use runtime::parts::Part;
use storage::execution::Presence;
use storage::{PgPool, StorageError};

/// Time between two signs of life.
const PERIOD: Duration = Duration::from_secs(1);

/// The number by which lanes name this process as their holder.
#[derive(Debug, Default)]
pub(crate) struct Holder(AtomicI64);

impl Holder {
    /// `None` while others cannot see whether this process lives; then only leases count.
    pub(crate) fn number(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|number| *number != 0)
    }

    /// Keeps the process seen, until the future is dropped.
    pub(crate) async fn keep(&self, pool: &PgPool, part: &Part) {
        let mut is_reported = false;
        loop {
            part.round();
            let problem = match Presence::begin(pool).await {
                Ok(presence) => {
                    is_reported = false;
                    self.show(presence, part).await
                }
                Err(problem) => {
                    tokio::time::sleep(PERIOD).await;
                    problem
                }
            };
            part.hindered(problem.to_string());
            if !is_reported {
                tracing::warn!("other executors cannot see that this one lives: {problem}");
            }
            is_reported = true;
        }
    }

    /// Shows that the process lives, as long as that can be done; answers why not any more.
    async fn show(&self, mut presence: Presence, part: &Part) -> StorageError {
        self.0.store(presence.holder(), Ordering::Relaxed);
        loop {
            part.round();
            part.goes_on();
            tokio::time::sleep(PERIOD).await;
            if let Err(problem) = presence.show().await {
                // What is taken from here on would look like the hold of a process that is gone.
                self.0.store(0, Ordering::Relaxed);
                return problem;
            }
        }
    }
}
