//! `job.requested` becomes a preparation, which the workers take up.

use std::sync::Arc;

use contract::decode_event;
use domain::events::event::Event;
use domain::values::ids::JobId;
use messaging::{Handler, Incoming, Outcome};
use storage::{PgPool, market};
use tokio::sync::Notify;

/// Notes that jobs want prices.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) pool: PgPool,
    /// Wakes the workers.
    pub(crate) due: Arc<Notify>,
}

impl Handler for Requests {
    async fn handle(&self, message: Incoming) -> Outcome {
        let envelope = &message.envelope;
        let job = match decode_event(&envelope.kind, &envelope.body) {
            Ok(Event::JobRequested(job)) => job.id,
            Ok(_) => return Outcome::Reject(format!("{} does not ask for prices", envelope.kind)),
            Err(problem) => return Outcome::Reject(problem.to_string()),
        };
        // A body that was decoded is UTF-8.
        let body = String::from_utf8_lossy(&envelope.body);
        match self.note_known(job, &body, message.traceparent()).await {
            Ok(true) => Outcome::Done,
            Ok(false) => Outcome::Reject(format!("job {job} is not known to trigger")),
            Err(problem) => Outcome::Retry(problem.into()),
        }
    }
}

impl Requests {
    /// Notes the job if trigger has accepted it: its row is there before its message is, so a message
    /// without one is somebody else's.
    async fn note_known(&self, job: JobId, body: &str, traceparent: Option<&str>) -> storage::Result<bool> {
        if storage::trigger::body(&self.pool, job).await?.is_none() {
            return Ok(false);
        }
        self.note(job, body, traceparent).await?;
        Ok(true)
    }

    /// Notes the job; saying it twice changes nothing.
    pub(crate) async fn note(
        &self,
        job: JobId,
        body: &str,
        traceparent: Option<&str>,
    ) -> storage::Result<()> {
        market::upsert(&self.pool, job, body, traceparent).await?;
        self.due.notify_one();
        Ok(())
    }
}
