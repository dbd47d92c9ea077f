//! Jobs whose message the broker lost: they stand in the downloader's outbox, which is the truth.

use std::sync::Arc;

use storage::PgPool;
use storage::execution::unplanned;

use super::unplannable::Unplannable;
use crate::error::ExecutorError;
use crate::job::planner::JobPlanner;

/// Plans jobs from the downloader's outbox.
pub(crate) struct CatchUp {
    pool: PgPool,
    planner: Arc<JobPlanner>,
    unplannable: Arc<Unplannable>,
}

impl CatchUp {
    pub(crate) fn new(pool: PgPool, planner: Arc<JobPlanner>, unplannable: Arc<Unplannable>) -> Self {
        Self { pool, planner, unplannable }
    }

    /// Plans the jobs whose message did not come.
    pub(crate) async fn run(&self) {
        match self.plan_forgotten().await {
            Ok(0) => {}
            Ok(count) => tracing::info!("planned {count} jobs from the downloader's outbox"),
            Err(problem) => tracing::warn!("forgotten jobs could not be planned: {problem}"),
        }
    }

    async fn plan_forgotten(&self) -> Result<usize, ExecutorError> {
        let (mut last, mut count) = (0, 0);
        loop {
            let messages = unplanned(&self.pool, last).await?;
            let Some(end) = messages.last() else { return Ok(count) };
            last = end.id;
            for message in messages {
                if self.unplannable.contains(message.event_id) {
                    continue;
                }
                match self.planner.plan_message(&message.kind, &message.body).await {
                    Ok(()) => count += 1,
                    Err(problem @ ExecutorError::Storage(_)) => return Err(problem),
                    Err(problem) => {
                        if self.unplannable.note(message.event_id) {
                            tracing::error!(
                                job.id = %message.job_id,
                                message.id = %message.event_id,
                                "a forgotten job cannot be planned: {problem}"
                            );
                        }
                    }
                }
            }
        }
    }
}
