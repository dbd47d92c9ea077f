//! Turns that this process has taken. An error of ours while the process lives is no crash of the lane.

use std::collections::HashMap;

use domain::ids::LaneId;
use storage::execution::{Take, put_down, take};
use storage::{PgPool, StorageError};
use tokio::sync::Mutex;

/// Takes turns and puts them down.
#[derive(Default)]
pub(crate) struct Takings {
    /// Epochs of takings that failed and could not be put down, since Postgres did not answer.
    failed: Mutex<HashMap<LaneId, i64>>,
}

impl Takings {
    /// Takes `turn` of a lane.
    pub(crate) async fn take(&self, pool: &PgPool, lane: LaneId, turn: u32) -> storage::Result<Take> {
        let failed = self.failed.lock().await.get(&lane).copied();
        let taken = take(pool, lane, turn, failed).await?;
        // Whatever it came to, that epoch is over.
        self.failed.lock().await.remove(&lane);
        Ok(taken)
    }

    /// Puts a taken lane down after an error of ours.
    pub(crate) async fn put_down(&self, pool: &PgPool, lane: LaneId, epoch: i64) {
        match put_down(pool, lane, epoch).await {
            Ok(()) | Err(StorageError::Fenced) => {}
            Err(problem) => {
                tracing::debug!(lane.id = %lane, "the lane is put down when it is taken again: {problem}");
                self.failed.lock().await.insert(lane, epoch);
            }
        }
    }
}
