//! The workers: they claim due preparations, several concurrently, and keep the leases while they work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::job::pause::Queue;
use runtime::parts::Part;
use runtime::{CancellationToken, telemetry};
use storage::StorageError;
use storage::market::{self, Preparation};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use uuid::Uuid;

use super::cancellation::CancelHints;
use super::lease;
use super::preparer::Preparer;
use crate::context::Interruption;

/// How often the workers look for due preparations without a notification: those of other replicas, and those
/// whose worker died.
const POLL: Duration = Duration::from_millis(500);

/// Delay before a preparation is due again after a failure of the infrastructure.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// Delay before a preparation is due again that this version of the service cannot handle.
const UNUSABLE_DELAY: Duration = Duration::from_secs(300);

/// The workers of this process.
pub(crate) struct Workers {
    preparer: Arc<Preparer>,
    /// Wakes the workers.
    due: Arc<Notify>,
    hints: CancelHints,
    permits: Arc<Semaphore>,
}

impl Workers {
    /// `concurrency` is how many preparations are worked on at the same time.
    pub(crate) fn new(preparer: Preparer, concurrency: usize, due: Arc<Notify>, hints: CancelHints) -> Self {
        Self { preparer: Arc::new(preparer), due, hints, permits: Arc::new(Semaphore::new(concurrency)) }
    }

    /// Prepares prices until `shutdown`, which `part` shows, then lets the calls in progress finish and hands the rest back.
    pub(crate) async fn run(self, shutdown: CancellationToken, part: Part) {
        let tasks = TaskTracker::new();
        let mut is_reported = false;
        let mut released: Option<Instant> = None;
        while !shutdown.is_cancelled() {
            part.round();
            if self.preparer.context.pauses.has_queue(Queue::Downloader) {
                shutdown.run_until_cancelled(tokio::time::sleep(POLL)).await;
                continue;
            }
            let permit = tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(POLL) => continue,
                permit = Arc::clone(&self.permits).acquire_owned() => permit,
            };
            let claimed = market::claim_due(&self.preparer.context.pool).await;
            part.note(&claimed);
            match claimed {
                Ok(Some(preparation)) => {
                    let (preparer, shutdown) = (Arc::clone(&self.preparer), shutdown.clone());
                    let hints = self.hints.clone();
                    tasks.spawn(async move {
                        let _permit = permit;
                        work(&preparer, preparation, &hints, shutdown).await;
                    });
                    continue;
                }
                Ok(None) => {
                    is_reported = false;
                    if released.is_none_or(|released| released.elapsed() >= POLL) {
                        self.release_abandoned().await;
                        released = Some(Instant::now());
                    }
                }
                Err(problem) if is_reported => {
                    tracing::debug!("no preparation could be claimed: {problem}");
                }
                Err(problem) => {
                    is_reported = true;
                    tracing::warn!("no preparation could be claimed, trying again: {problem}");
                }
            }
            drop(permit);
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.due.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Releases downloads whose worker died.
    async fn release_abandoned(&self) {
        match market::release_expired_downloads(&self.preparer.context.pool).await {
            Ok(0) => {}
            Ok(count) => tracing::info!("released {count} downloads whose worker is gone"),
            Err(problem) => tracing::debug!("claims of downloads could not be looked up: {problem}"),
        }
    }
}

/// Works on one preparation under its lease, until it ends, is fenced off, or is handed back.
async fn work(
    preparer: &Preparer,
    preparation: Preparation,
    hints: &CancelHints,
    shutdown: CancellationToken,
) {
    let span = tracing::info_span!("prepare prices", job.id = %preparation.job);
    telemetry::continue_from(&span, preparation.traceparent.as_deref(), None);
    prepare(preparer, preparation, hints, shutdown).instrument(span).await;
}

async fn prepare(
    preparer: &Preparer,
    preparation: Preparation,
    hints: &CancelHints,
    shutdown: CancellationToken,
) {
    let job = preparation.job;
    let holder = Uuid::now_v7();
    let halt = shutdown.child_token();
    let prepared = async {
        tokio::select! {
            prepared = preparer.prepare(&preparation, holder, &halt) => prepared,
            () = lease::renew(&preparer.context.pool, &preparation, holder, &halt, hints) => Err(Interruption::Halted),
        }
    };
    let delay = match prepared.await {
        Ok(()) => return,
        Err(Interruption::Storage(StorageError::Fenced)) => {
            metrics::counter!("modelday_fenced_writes_total", "service" => "downloader").increment(1);
            tracing::info!(job.id = %job, "Job {job}: another worker has its preparation, or it was cancelled");
            None
        }
        Err(Interruption::Halted) => Some(Duration::ZERO),
        Err(problem @ Interruption::Storage(_)) => {
            tracing::warn!(job.id = %job, "Job {job}: prices could not be prepared, trying again: {problem}");
            Some(RETRY_DELAY)
        }
        Err(problem @ (Interruption::Contract(_) | Interruption::Crashed(_))) => {
            tracing::error!(job.id = %job, "Job {job}: prices cannot be prepared: {problem}");
            Some(UNUSABLE_DELAY)
        }
    };
    let pool = &preparer.context.pool;
    if let Some(delay) = delay
        && let Err(problem) = market::hand_back(pool, &preparation, delay).await
    {
        tracing::debug!("the lease is left to expire: {problem}");
    }
    if let Err(problem) = market::release_downloads(pool, holder).await {
        tracing::debug!("the claims of downloads are left to expire: {problem}");
    }
}
