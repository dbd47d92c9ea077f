//! What consumers do with messages: one handler a queue.

use std::sync::Arc;

use contract::decode_lane_continue;
use messaging::{Handler, Incoming, Outcome, Then};
use runtime::relay::Wake;
use storage::outbox::StoredMessage;

use crate::error::ExecutorError;
use crate::job::cancellation::Canceller;
use crate::job::planner::JobPlanner;
use crate::lane::turn::{LaneKind, LaneRunner};
use crate::metrics;
use crate::recovery::unplannable::Unplannable;

/// `data.ready` and `data.failed`: plans jobs.
pub(crate) struct Plans {
    pub(crate) planner: Arc<JobPlanner>,
    pub(crate) unplannable: Arc<Unplannable>,
}

impl Handler for Plans {
    async fn handle(&self, message: Incoming) -> Outcome {
        let body = String::from_utf8_lossy(&message.envelope.body);
        let outcome = outcome(self.planner.plan_message(&message.envelope.kind, &body).await);
        if let Outcome::Reject(_) = outcome {
            // The outbox has the same message, and the dead letter reports it.
            self.unplannable.note(message.envelope.id);
        }
        outcome
    }
}

/// `lane.continue`: runs turns of one kind of lanes.
pub(crate) struct Turns {
    pub(crate) runner: Arc<LaneRunner>,
    pub(crate) wake: Wake,
    pub(crate) kind: LaneKind,
}

impl Handler for Turns {
    async fn handle(&self, message: Incoming) -> Outcome {
        match self.turn(&message.envelope.body).await {
            // The next turn is sent when this one is acknowledged: a quorum queue writes in order, and has nothing
            // else to write then.
            Ok(Some(next)) => {
                let wake = self.wake.clone();
                Outcome::DoneThen(Then::new(move || wake.hand_over(next)))
            }
            ran => outcome(ran.map(|_| ())),
        }
    }
}

impl Turns {
    async fn turn(&self, body: &[u8]) -> Result<Option<StoredMessage>, ExecutorError> {
        self.runner.run(decode_lane_continue(body)?, self.kind).await
    }
}

/// `job.cancel`: ends cancelled jobs.
pub(crate) struct Cancels(pub(crate) Arc<Canceller>);

impl Handler for Cancels {
    async fn handle(&self, message: Incoming) -> Outcome {
        outcome(self.0.cancel_message(&message.envelope.body).await)
    }
}

/// The hint of a cancellation, which every process gets so that it lets go of the job at once.
pub(crate) struct Hints(pub(crate) Arc<Canceller>);

impl Handler for Hints {
    async fn handle(&self, message: Incoming) -> Outcome {
        if let Err(problem) = self.0.cancel_message(&message.envelope.body).await {
            tracing::debug!("a hint was of no use: {problem}");
        }
        Outcome::Done
    }
}

/// What becomes of a delivery after its work.
fn outcome(result: Result<(), ExecutorError>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(problem) if problem.is_fenced() => {
            metrics::fenced_write();
            tracing::warn!("a lane went into other hands; nothing was written");
            Outcome::Done
        }
        Err(problem @ ExecutorError::Storage(_)) => Outcome::Retry(problem.into()),
        Err(problem) => Outcome::Reject(problem.to_string()),
    }
}
