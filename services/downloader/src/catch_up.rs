//! Requests that the broker forgot: they stand in trigger's outbox, which is the truth.

use domain::values::ids::JobId;
use storage::market;

use crate::handler::Requests;

/// Notes every request of trigger's outbox that no preparation stands for.
pub(crate) async fn catch_up(requests: &Requests) {
    match note_missing(requests).await {
        Ok(0) => {}
        Ok(count) => tracing::info!("took {count} job requests from trigger's outbox"),
        Err(problem) => tracing::warn!("trigger's outbox could not be looked through: {problem}"),
    }
}

async fn note_missing(requests: &Requests) -> storage::Result<usize> {
    let mut count = 0;
    loop {
        let missing = market::missing_preparations(&requests.pool).await?;
        if missing.is_empty() {
            return Ok(count);
        }
        for request in &missing {
            requests.note(JobId(request.job_id), &request.body, request.traceparent.as_deref()).await?;
        }
        count += missing.len();
    }
}
