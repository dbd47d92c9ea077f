//! Which of several status processes projects: the one that has the projector's lock. The others stand by, and one of
//! them goes on when the lock is free. All of them serve reads and streams.

use std::sync::Arc;
use std::time::Duration;

use messaging::ConsumeError;
use runtime::CancellationToken;
use runtime::parts::Part;
use storage::status::ProjectorLock;
use storage::{PgPool, StorageError};

/// Time between two attempts to take the lock, and between two signs of life of who has it.
const PERIOD: Duration = Duration::from_millis(300);

pub(crate) struct Succession {
    pub(crate) pool: PgPool,
    /// Shows whether the projection goes on, or stands by.
    pub(crate) part: Part,
    pub(crate) shutdown: CancellationToken,
}

impl Succession {
    /// Calls `project` whenever this process gets the lock, until shutdown. Its future ends soon after its token is
    /// cancelled.
    ///
    /// # Errors
    /// When `project` fails.
    pub(crate) async fn run<F>(
        &self,
        project: impl Fn(Arc<ProjectorLock>, CancellationToken) -> F,
    ) -> Result<(), ConsumeError>
    where
        F: Future<Output = Result<(), ConsumeError>>,
    {
        while let Some(lock) = self.shutdown.run_until_cancelled(Box::pin(self.take())).await {
            let lock = Arc::new(lock);
            tracing::info!("this process projects events");
            self.is_at_work(true);
            let end = self.shutdown.child_token();
            let mut projecting = Box::pin(project(lock.clone(), end.clone()));
            let ended = tokio::select! {
                ended = &mut projecting => ended,
                problem = self.hold(&lock) => {
                    tracing::warn!("this process projects no more: {problem}");
                    self.part.hindered(problem.to_string());
                    end.cancel();
                    projecting.await
                }
            };
            self.is_at_work(false);
            ended?;
        }
        Ok(())
    }

    /// Waits until the lock is free, and takes it.
    async fn take(&self) -> ProjectorLock {
        loop {
            match self.take_on_one_connection().await {
                Ok(lock) => return lock,
                Err(problem) => {
                    tracing::debug!("whether another process projects is not known: {problem}");
                    self.part.hindered(problem.to_string());
                }
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn take_on_one_connection(&self) -> Result<ProjectorLock, StorageError> {
        self.part.round();
        let lock = ProjectorLock::open(&self.pool).await?;
        loop {
            self.part.round();
            let taken = lock.try_take().await?;
            self.part.goes_on();
            self.part.stands_by(!taken);
            if taken {
                return Ok(lock);
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Shows that this process lives, as long as that can be done; answers why not any more.
    async fn hold(&self, lock: &ProjectorLock) -> StorageError {
        loop {
            self.part.round();
            tokio::time::sleep(PERIOD).await;
            if let Err(problem) = lock.show().await {
                return problem;
            }
        }
    }

    fn is_at_work(&self, at_work: bool) {
        metrics::gauge!("modelday_projector_at_work").set(if at_work { 1.0 } else { 0.0 });
    }
}
