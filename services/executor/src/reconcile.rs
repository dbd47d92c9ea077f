//! The reconciler: no lane is forgotten. Turns that nobody takes are sent again, and cancelled jobs are ended.

use std::sync::Arc;
use std::time::Duration;

use contract::ContractError;
use domain::events::event::LaneContinue;
use domain::values::ids::LaneId;
use runtime::CancellationToken;
use storage::execution::{Overdue, overdue, resent};
use storage::outbox::NewMessage;
use uuid::Uuid;

use crate::Executor;
use crate::error::ExecutorError;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

impl Executor {
    /// Looks for forgotten lanes and cancellations until shutdown.
    pub(crate) async fn reconcile(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            self.cancel_forgotten().await;
            self.resend(false).await;
        }
    }

    /// Sends overdue turns again; with `all`, every turn that nobody works on.
    pub(crate) async fn resend(&self, all: bool) {
        if let Err(problem) = self.try_resend(all).await {
            tracing::warn!("forgotten lanes could not be looked up: {problem}");
        }
    }

    async fn try_resend(&self, all: bool) -> Result<(), ExecutorError> {
        let mut last = LaneId(Uuid::nil());
        let mut count = 0;
        loop {
            let patience = self.config.patience.as_secs_f64();
            let (transaction, lanes) = overdue(&self.pool, patience, all, last).await?;
            let Some(Overdue { lane, .. }) = lanes.last() else { break };
            last = *lane;
            let messages: Vec<_> = lanes.iter().map(turn_of).collect::<Result<_, _>>()?;
            resent(transaction, &lanes, &messages).await?;
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

fn turn_of(lane: &Overdue) -> Result<NewMessage, ContractError> {
    let command = LaneContinue { lane: lane.lane, turn: lane.turn };
    runtime::outgoing::lane_continue(&command, lane.job, &lane.routing_key, None)
}
