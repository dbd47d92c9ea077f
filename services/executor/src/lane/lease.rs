//! Leases of lanes: taking a turn, renewing the lease while the turn runs, putting the lane down after an error.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use domain::values::ids::LaneId;
use storage::execution::{self, Lane, Take, Taker};
use storage::{PgPool, StorageError};
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::presence::Holder;

/// Time between two renewals; a lease lasts three seconds.
const RENEWAL: Duration = Duration::from_secs(1);

/// The lanes that this process has taken.
pub(super) struct Leases {
    pool: PgPool,
    holder: Arc<Holder>,
    /// Epochs of lanes that could not be put down after an error, since Postgres did not answer. An error of ours
    /// while the process lives is no crash of the lane.
    failed: Mutex<HashMap<LaneId, i64>>,
}

impl Leases {
    pub(super) fn new(pool: PgPool, holder: Arc<Holder>) -> Self {
        Self { pool, holder, failed: Mutex::default() }
    }

    /// Takes `turn` of a lane; `dates` are the lane's, if they are known.
    pub(super) async fn take(
        &self,
        lane: LaneId,
        turn: u32,
        dates: Option<&Arc<[NaiveDate]>>,
    ) -> storage::Result<Take> {
        let taken = execution::take(&self.pool, lane, turn, self.taker(lane).await, dates).await?;
        self.forget(lane).await;
        Ok(taken)
    }

    /// Takes `turn` of a lane whose days call an endpoint.
    pub(super) async fn take_with_endpoint(&self, lane: LaneId, turn: u32) -> storage::Result<Take> {
        let taker = self.taker(lane).await;
        let taken = execution::take_with_endpoint(&self.pool, lane, turn, taker).await?;
        self.forget(lane).await;
        Ok(taken)
    }

    /// Takes the turn of the lane that holds a portfolio, for the client that decides its days.
    pub(super) async fn take_for_visit(&self, experiment: &str, model: &str) -> storage::Result<Take> {
        let taker = Taker { holder: self.holder.number(), failed: None };
        execution::take_for_visit(&self.pool, (experiment, model, 0), taker).await
    }

    /// Renews the lane's lease each second until dropped.
    pub(super) fn keep(&self, lane: &Lane) -> AbortOnDropHandle<()> {
        let (pool, lane, holder) = (self.pool.clone(), lane.clone(), self.holder.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                match execution::renew(&pool, &lane, holder.number()).await {
                    Ok(()) => {}
                    Err(StorageError::Fenced) => return,
                    Err(problem) => {
                        tracing::warn!(lane.id = %lane.id, "the lease was not renewed: {problem}");
                    }
                }
            }
        }))
    }

    /// Puts a taken lane down after an error of ours.
    pub(super) async fn put_down(&self, lane: LaneId, epoch: i64) {
        match execution::put_down(&self.pool, lane, epoch).await {
            Ok(()) | Err(StorageError::Fenced) => {}
            Err(problem) => {
                tracing::debug!(lane.id = %lane, "the lane is put down when it is taken again: {problem}");
                self.failed.lock().await.insert(lane, epoch);
            }
        }
    }

    async fn taker(&self, lane: LaneId) -> Taker {
        Taker { holder: self.holder.number(), failed: self.failed.lock().await.get(&lane).copied() }
    }

    /// Whether the lane was taken or not, the epoch before is over.
    async fn forget(&self, lane: LaneId) {
        self.failed.lock().await.remove(&lane);
    }
}
