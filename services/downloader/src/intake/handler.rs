//! Stores each `job.requested` message as a preparation, which a worker then claims.

use std::sync::Arc;

use contract::decode_event;
use domain::events::event::Event;
use domain::values::ids::JobId;
use messaging::{Handler, Incoming, Outcome};
use runtime::telemetry;
use storage::{PgPool, market};
use tokio::sync::Notify;

/// Handles job requests.
#[derive(Clone)]
pub(crate) struct RequestHandler {
    pub(crate) pool: PgPool,
    /// Wakes the workers.
    pub(crate) due: Arc<Notify>,
}

impl Handler for RequestHandler {
    async fn handle(&self, message: Incoming) -> Outcome {
        let envelope = &message.envelope;
        let job = match decode_event(&envelope.kind, &envelope.body) {
            Ok(Event::JobRequested(job)) => job.id,
            Ok(_) => return Outcome::Reject(format!("{} is not a job request", envelope.kind)),
            Err(problem) => return Outcome::Reject(problem.to_string()),
        };
        // A body that was decoded is UTF-8.
        let body = String::from_utf8_lossy(&envelope.body);
        match self.store(job, &body, telemetry::current_traceparent().as_deref()).await {
            Ok(true) => Outcome::Done,
            // Trigger commits a job's row before it sends the message, so this one is another installation's.
            Ok(false) => Outcome::Reject(format!("job {job} is not known to trigger")),
            Err(problem) => Outcome::Retry(problem.into()),
        }
    }
}

impl RequestHandler {
    /// Stores the request as a preparation; returns whether trigger knows the job. A second call for the same job changes
    /// nothing.
    pub(super) async fn store(
        &self,
        job: JobId,
        body: &str,
        traceparent: Option<&str>,
    ) -> storage::Result<bool> {
        let is_known = market::insert_preparation(&self.pool, job, body, traceparent).await?;
        if is_known {
            self.due.notify_one();
        }
        Ok(is_known)
    }
}
