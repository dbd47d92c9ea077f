//! The reconciler: no lane is forgotten. It sends turns again that no worker has taken, and ends cancelled jobs.

use std::sync::Arc;
use std::time::Duration;

use domain::simulation::lane::resend_waits;
use domain::values::ids::LaneId;
use runtime::CancellationToken;
use runtime::relay::Wake;
use storage::PgPool;
use storage::execution::{OverdueTurn, Waited, overdue_turns, resend_turns};
use uuid::Uuid;

use crate::error::ExecutorError;
use crate::job::cancellation::Canceller;
use crate::messages::turn_again;

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Looks for lanes and cancellations that were forgotten.
pub(crate) struct Reconciler {
    pool: PgPool,
    wake: Wake,
    canceller: Arc<Canceller>,
    /// A turn that no worker has taken for so long is sent again.
    patience: Duration,
}

impl Reconciler {
    pub(crate) fn new(pool: PgPool, wake: Wake, canceller: Arc<Canceller>, patience: Duration) -> Self {
        Self { pool, wake, canceller, patience }
    }

    /// Looks until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            if let Err(problem) = self.canceller.cancel_forgotten().await {
                tracing::warn!("cancelled jobs could not be looked up: {problem}");
            }
            self.resend(false).await;
        }
    }

    /// Sends overdue turns again; with `all`, every turn that no worker has.
    pub(crate) async fn resend(&self, all: bool) {
        if let Err(problem) = self.try_resend(all).await {
            tracing::warn!("forgotten lanes could not be looked up: {problem}");
        }
    }

    async fn try_resend(&self, all: bool) -> Result<(), ExecutorError> {
        let waits = resend_waits(self.patience);
        let waited = if all { Waited::AnyTime } else { Waited::AtLeast(&waits) };
        let mut last = LaneId(Uuid::nil());
        let mut count = 0;
        loop {
            let (transaction, lanes) = overdue_turns(&self.pool, waited, last).await?;
            let Some(OverdueTurn { lane, .. }) = lanes.last() else { break };
            last = *lane;
            let messages: Vec<_> = lanes.iter().map(turn_again).collect::<Result<_, _>>()?;
            resend_turns(transaction, &lanes, &messages).await?;
            self.wake.wake();
            count += lanes.len();
        }
        if count > 0 {
            tracing::info!("sent {count} turns again");
        }
        Ok(())
    }

    /// Sends the turn of the lane that has waited longest for an endpoint with a free place.
    pub(crate) async fn call_next(&self, endpoint: &str) {
        match storage::execution::call_next(&self.pool, endpoint).await {
            Ok(false) => {}
            Ok(true) => self.resend(false).await,
            Err(problem) => tracing::warn!("the next lane of an endpoint was not called: {problem}"),
        }
    }
}
