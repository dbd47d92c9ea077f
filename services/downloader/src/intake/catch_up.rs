//! Requests that the broker lost. Trigger's outbox holds every request, so it is compared with the preparations.

use domain::values::ids::JobId;
use storage::market;

use super::handler::RequestHandler;

/// Stores every request of trigger's outbox that has no preparation.
pub(super) async fn catch_up(handler: RequestHandler) {
    match store_missing(&handler).await {
        Ok(0) => {}
        Ok(count) => tracing::info!("took {count} job requests from trigger's outbox"),
        Err(problem) => tracing::warn!("trigger's outbox could not be searched: {problem}"),
    }
}

async fn store_missing(handler: &RequestHandler) -> storage::Result<usize> {
    let mut count = 0;
    loop {
        let missing = market::missing_preparations(&handler.pool).await?;
        if missing.is_empty() {
            return Ok(count);
        }
        for request in &missing {
            handler.store(JobId(request.job_id), &request.body, request.traceparent.as_deref()).await?;
        }
        count += missing.len();
    }
}
