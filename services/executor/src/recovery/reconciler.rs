//! The reconciler: no lane is forgotten. It sends turns again that no worker has taken, and ends cancelled jobs.

use std::sync::Arc;
use std::time::Duration;

use domain::job::pause::Queue;
use domain::simulation::lane::resend_waits;
use domain::values::ids::LaneId;
use messaging::Probe;
use messaging::topology::{commands, queues};
use runtime::CancellationToken;
use runtime::parts::Parts;
use runtime::pauses::Pauses;
use runtime::relay::Wake;
use storage::execution::{
    Line, OverdueTurn, due_turns, free_turns, lock_turns, lost_turns, overdue_keys, resend_turns,
    resume_lanes,
};
use storage::{PgPool, Transaction};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::error::ExecutorError;
use crate::job::cancellation::Canceller;
use crate::messages::turn_again;

/// Time between two looks for turns that are due.
const PERIOD: Duration = Duration::from_secs(1);
/// The wait before a look that a worker has requested: what it waits for may take a moment.
const SOON: Duration = Duration::from_millis(100);
/// Time between two looks for turns that were lost.
const LOST_PERIOD: Duration = Duration::from_secs(2);
/// How long a turn that seems lost may be on its way from the queue to a worker.
const DELIVERY: Duration = Duration::from_secs(1);
/// How long a look takes when nothing holds it up.
const RHYTHM: Duration = Duration::from_secs(5);

/// Looks for lanes and cancellations that were forgotten.
pub(crate) struct Reconciler {
    pool: PgPool,
    wake: Wake,
    canceller: Arc<Canceller>,
    pauses: Pauses,
    /// A turn that no worker has taken for so long, and that stands in no line, is sent again.
    patience: Duration,
    /// The queues that turns stand in.
    queues: Probe,
    soon: Notify,
}

impl Reconciler {
    pub(crate) fn new(
        pool: PgPool,
        wake: Wake,
        canceller: Arc<Canceller>,
        pauses: Pauses,
        patience: Duration,
        queues: Probe,
    ) -> Self {
        Self { pool, wake, canceller, pauses, patience, queues, soon: Notify::new() }
    }

    /// Looks until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken, parts: &Parts) {
        let due = async {
            let part = parts.add("executor: forgotten lanes", RHYTHM);
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(PERIOD) => {}
                    () = self.soon.notified() => tokio::time::sleep(SOON).await,
                }
                part.round();
                let cancelled = self.canceller.cancel_forgotten().await;
                part.note(&cancelled);
                if let Err(problem) = cancelled {
                    tracing::warn!("cancelled jobs could not be looked up: {problem}");
                }
                log(self.send_resumed().await);
            }
        };
        let lost = async {
            let part = parts.add("executor: lost turns", RHYTHM);
            while shutdown.run_until_cancelled(tokio::time::sleep(LOST_PERIOD)).await.is_some() {
                part.round();
                // No turn is taken, so none is overdue.
                if self.pauses.has_queue(Queue::Executor) {
                    continue;
                }
                let sent = self.send_lost().await;
                part.note(&sent);
                log(sent);
            }
        };
        tokio::join!(due, lost);
    }

    /// Asks for a look in a moment: a turn was not taken, since another worker had it.
    pub(crate) fn look_soon(&self) {
        self.soon.notify_one();
    }

    /// Sends every turn again that no worker has.
    pub(crate) async fn send_all(&self) {
        log(self.send_free().await);
    }

    async fn send_free(&self) -> Result<usize, ExecutorError> {
        let (mut last, mut count) = (LaneId(Uuid::nil()), 0);
        loop {
            let (transaction, turns) = free_turns(&self.pool, last).await?;
            let Some(OverdueTurn { lane, .. }) = turns.last() else { return Ok(count) };
            last = *lane;
            count += self.resend(transaction, &turns).await?;
        }
    }

    /// Ends the wait of lanes whose model is not paused any more, which the feeder then sends, and sends the turns whose wait
    /// is over.
    async fn send_resumed(&self) -> Result<usize, ExecutorError> {
        resume_lanes(&self.pool).await?;
        self.send_due().await
    }

    /// Sends the turns whose wait is over.
    async fn send_due(&self) -> Result<usize, ExecutorError> {
        let mut count = 0;
        loop {
            let (transaction, turns) = due_turns(&self.pool).await?;
            if turns.is_empty() {
                return Ok(count);
            }
            count += self.resend(transaction, &turns).await?;
        }
    }

    /// Sends turns again that wait although their message does not stand in line. A queue that was purged is noticed by
    /// this: the broker does not report it.
    async fn send_lost(&self) -> Result<usize, ExecutorError> {
        let waits = resend_waits(self.patience);
        let mut lines = Vec::new();
        for routing_key in overdue_keys(&self.pool, &waits).await? {
            let queue = match routing_key.as_str() {
                commands::LANE_CONTINUE_AGENTS => queues::EXECUTOR_AGENTS,
                _ => queues::EXECUTOR_LANES,
            };
            match self.queues.waiting(queue).await {
                Ok(messages) => lines.push(Line { routing_key, messages }),
                Err(problem) => tracing::debug!("how many turns stand in line is not known: {problem}"),
            }
        }
        if lines.is_empty() {
            return Ok(0);
        }
        let seem_lost = lost_turns(&self.pool, &waits, &lines).await?;
        if seem_lost.is_empty() {
            return Ok(0);
        }
        tokio::time::sleep(DELIVERY).await;
        let (transaction, lost) = lock_turns(&self.pool, &seem_lost).await?;
        self.resend(transaction, &lost).await
    }

    async fn resend(&self, transaction: Transaction, turns: &[OverdueTurn]) -> Result<usize, ExecutorError> {
        let messages: Vec<_> = turns.iter().map(turn_again).collect::<Result<_, _>>()?;
        resend_turns(transaction, turns, &messages).await?;
        self.wake.wake();
        Ok(turns.len())
    }

    /// Whether no message stands in line in `queue`, as far as that is known.
    pub(crate) async fn is_empty(&self, queue: &str) -> bool {
        self.queues.waiting(queue).await.is_ok_and(|waiting| waiting == 0)
    }

    /// Sends the turn of the lane that has waited longest for an endpoint with a free place.
    pub(crate) async fn call_next(&self, endpoint: &str) {
        match storage::execution::call_next(&self.pool, endpoint).await {
            Ok(false) => {}
            Ok(true) => log(self.send_due().await),
            Err(problem) => tracing::warn!("the next lane of an endpoint was not called: {problem}"),
        }
    }
}

fn log(sent: Result<usize, ExecutorError>) {
    match sent {
        Ok(0) => {}
        Ok(count) => tracing::info!("sent {count} turns again"),
        Err(problem) => tracing::warn!("forgotten lanes could not be looked up: {problem}"),
    }
}
