//! Messages of the executor: data that is ready, turns of lanes.

use std::sync::Arc;

use contract::{decode_event, decode_lane_continue};
use domain::events::event::Event;
use domain::simulation::model_day::SkipReason;
use messaging::{Handler, Incoming, Outcome, Then};
use storage::execution::Take;
use storage::outbox::StoredMessage;

use crate::Executor;
use crate::counts;
use crate::error::ExecutorError;
use crate::jobs::PlannedJob;
use crate::plan::{Data, plan_traced};

/// Plans jobs.
pub(crate) struct Plans(pub(crate) Arc<Executor>);

impl Handler for Plans {
    async fn handle(&self, message: Incoming) -> Outcome {
        let body = String::from_utf8_lossy(&message.envelope.body);
        let outcome = settle(plan_message(&self.0, &message.envelope.kind, &body).await);
        if let Outcome::Reject(_) = outcome {
            // The dead letter tells it; the outbox has the same message.
            self.0.hopeless.note(message.envelope.id).await;
        }
        outcome
    }
}

/// Plans the job of a message's body.
pub(crate) async fn plan_message(executor: &Executor, kind: &str, body: &str) -> Result<(), ExecutorError> {
    let event = decode_event(kind, body.as_bytes())?;
    let (runnable, skipped) = match &event {
        Event::DataReady(event) => (event.runnable.clone(), event.skipped.clone()),
        Event::DataFailed(event) => (Vec::new(), event.skipped.clone()),
        _ => return Err(ExecutorError::Inconsistent(format!("{kind} does not say that data are ready"))),
    };
    let dates = |reason: SkipReason| {
        skipped.iter().filter(|skipped| skipped.reason == reason).map(|skipped| skipped.date).collect()
    };
    let data = Data {
        closed: dates(SkipReason::MarketClosed),
        runnable: runnable.into_iter().collect(),
        incomplete: dates(SkipReason::IncompletePriceData),
    };
    let planned =
        PlannedJob::of(event).ok_or_else(|| ExecutorError::Inconsistent(format!("{kind} carries no job")))?;
    plan_traced(executor, kind, body, &planned, &data).await
}

/// Runs turns of lanes.
pub(crate) struct Turns(pub(crate) Arc<Executor>);

impl Handler for Turns {
    async fn handle(&self, message: Incoming) -> Outcome {
        self.0.settle_turn(turn(&self.0, &message.envelope.body, Queue::Lanes).await)
    }
}

/// Runs turns of lanes whose days ask endpoints.
pub(crate) struct AgentTurns(pub(crate) Arc<Executor>);

impl Handler for AgentTurns {
    async fn handle(&self, message: Incoming) -> Outcome {
        self.0.settle_turn(turn(&self.0, &message.envelope.body, Queue::Agents).await)
    }
}

/// Which lanes a queue carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    Lanes,
    Agents,
}

/// Runs a turn; answers the next one's message when that is still to be sent.
async fn turn(
    executor: &Executor,
    body: &[u8],
    queue: Queue,
) -> Result<Option<StoredMessage>, ExecutorError> {
    let command = decode_lane_continue(body)?;
    let (pool, takings) = (&executor.pool, &executor.takings);
    let stop = executor.stops.listen();
    let dates = executor.kept.dates(command.lane);
    let take = async || match queue {
        Queue::Lanes => takings.take(pool, command.lane, command.turn, dates.as_ref()).await,
        Queue::Agents => takings.take_with_endpoint(pool, command.lane, command.turn).await,
    };
    let mut taken = take().await?;
    if let Take::Leased(left) = taken {
        tokio::time::sleep(left + std::time::Duration::from_millis(10)).await;
        taken = take().await?;
    }
    match taken {
        Take::Taken(lane) => {
            let (epoch, endpoint) = (lane.epoch, lane.endpoint.clone());
            let job = lane.job;
            let ran = tokio::select! {
                ran = executor.run_turn(lane) => ran,
                () = stop.told(job) => {
                    tracing::info!(job.id = %job, "Job {job}: a lane was stopped in the middle of a turn");
                    Ok(None)
                }
            };
            if ran.as_ref().is_err_and(ExecutorError::is_transient) {
                takings.put_down(pool, command.lane, epoch).await;
            }
            if let Some(endpoint) = endpoint {
                executor.call_next(&endpoint).await;
            }
            ran
        }
        // Whoever renewed the lease works on it, and whoever ended the turn sent the next one.
        Take::Leased(_) | Take::Over => Ok(None),
    }
}

impl Executor {
    /// The next turn is sent when this one is acknowledged: the broker, which writes what it is told in order, has
    /// nothing else to do then.
    fn settle_turn(&self, ran: Result<Option<StoredMessage>, ExecutorError>) -> Outcome {
        match ran {
            Ok(Some(next)) => {
                let wake = self.wake.clone();
                Outcome::DoneThen(Then::new(move || wake.hand_over(next)))
            }
            ran => settle(ran.map(|_| ())),
        }
    }
}

pub(crate) fn settle(result: Result<(), ExecutorError>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(problem) if problem.is_fenced() => {
            counts::fenced_write();
            tracing::warn!("a lane went into other hands; nothing was written");
            Outcome::Done
        }
        Err(problem @ ExecutorError::Storage(_)) => Outcome::Retry(problem.into()),
        Err(problem) => Outcome::Reject(problem.to_string()),
    }
}
