//! Turns that this process has taken. An error of ours while the process lives is no crash of the lane.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::values::ids::LaneId;
use storage::execution::{Take, put_down, take, take_with_endpoint};
use storage::{PgPool, StorageError};
use tokio::sync::Mutex;

/// Takes turns and puts them down.
#[derive(Default)]
pub(crate) struct Takings {
    /// Epochs of takings that failed and could not be put down, since Postgres did not answer.
    failed: Mutex<HashMap<LaneId, i64>>,
}

impl Takings {
    /// Takes `turn` of a lane; `dates` are its, if they are known.
    pub(crate) async fn take(
        &self,
        pool: &PgPool,
        lane: LaneId,
        turn: u32,
        dates: Option<&Arc<[NaiveDate]>>,
    ) -> storage::Result<Take> {
        let taken = take(pool, lane, turn, self.failed_epoch(lane).await, dates).await?;
        self.forget(lane).await;
        Ok(taken)
    }

    /// Takes `turn` of a lane whose days ask an endpoint.
    pub(crate) async fn take_with_endpoint(
        &self,
        pool: &PgPool,
        lane: LaneId,
        turn: u32,
    ) -> storage::Result<Take> {
        let taken = take_with_endpoint(pool, lane, turn, self.failed_epoch(lane).await).await?;
        self.forget(lane).await;
        Ok(taken)
    }

    async fn failed_epoch(&self, lane: LaneId) -> Option<i64> {
        self.failed.lock().await.get(&lane).copied()
    }

    /// Whatever a taking came to, the epoch before it is over.
    async fn forget(&self, lane: LaneId) {
        self.failed.lock().await.remove(&lane);
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
