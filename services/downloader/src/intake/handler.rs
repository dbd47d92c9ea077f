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
        let stored = match storage::trigger::body(&self.pool, job).await {
            // Trigger commits a job's row before it sends the message, so this one is another installation's.
            Ok(None) => return Outcome::Reject(format!("job {job} is not known to trigger")),
            Ok(Some(_)) => self.store(job, &body, telemetry::current_traceparent().as_deref()).await,
            Err(problem) => Err(problem),
        };
        stored.map_or_else(|problem| Outcome::Retry(problem.into()), |()| Outcome::Done)
    }
}

impl RequestHandler {
    /// Stores the request as a preparation. A second call for the same job changes nothing.
    pub(super) async fn store(
        &self,
        job: JobId,
        body: &str,
        traceparent: Option<&str>,
    ) -> storage::Result<()> {
        market::insert_preparation(&self.pool, job, body, traceparent).await?;
        self.due.notify_one();
        Ok(())
    }
}
