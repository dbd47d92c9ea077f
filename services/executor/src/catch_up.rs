//! Jobs that the broker forgot: they stand in the downloader's outbox, which is the truth.

use std::collections::HashSet;

use storage::execution::unplanned;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::Executor;
use crate::consume::plan_message;
use crate::error::ExecutorError;

/// Messages of the outbox that will never be planned. They stay there for days, and are told once.
#[derive(Default)]
pub(crate) struct Hopeless(Mutex<HashSet<Uuid>>);

impl Hopeless {
    /// Notes one; true when it was not known.
    pub(crate) async fn note(&self, message: Uuid) -> bool {
        self.0.lock().await.insert(message)
    }

    async fn has(&self, message: Uuid) -> bool {
        self.0.lock().await.contains(&message)
    }
}

impl Executor {
    /// Plans the jobs that the broker did not tell.
    pub(crate) async fn catch_up(&self) {
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
                if self.hopeless.has(message.event_id).await {
                    continue;
                }
                match plan_message(self, &message.kind, &message.body).await {
                    Ok(()) => count += 1,
                    Err(problem @ ExecutorError::Storage(_)) => return Err(problem),
                    Err(problem) => {
                        if self.hopeless.note(message.event_id).await {
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
