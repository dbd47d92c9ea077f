//! Jobs that were cancelled: their preparations end at once, whoever has them in hand or however long they wait.

use std::sync::Arc;
use std::time::Duration;

use domain::events::event::Event;
use domain::values::ids::JobId;
use messaging::{Handler, Incoming, Outcome};
use runtime::telemetry;
use storage::market::{self, CancelledPreparation};
use storage::outbox::NewMessage;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::conclusion;
use crate::days::Days;
use crate::prepare::{Interrupted, Preparer, job_of};

/// How often it is looked for when no hint comes.
const POLL: Duration = Duration::from_millis(500);

/// Wakes whoever has to know at once that a job was cancelled.
#[derive(Clone, Default)]
pub(crate) struct Hints {
    /// Ends preparations.
    ender: Arc<Notify>,
    /// Those who keep a claim: they find out that it is gone.
    keepers: Arc<Notify>,
}

impl Handler for Hints {
    async fn handle(&self, _: Incoming) -> Outcome {
        self.ender.notify_one();
        Outcome::Done
    }
}

impl Hints {
    /// Waits until preparations have been taken away.
    pub(crate) async fn taken_away(&self) {
        self.keepers.notified().await;
    }
}

/// Ends preparations of cancelled jobs until shutdown.
pub(crate) async fn end_cancelled(preparer: &Preparer, hints: &Hints, shutdown: CancellationToken) {
    let mut unreadable = Vec::new();
    let mut is_told = false;
    while !shutdown.is_cancelled() {
        match preparer.end_cancelled(&mut unreadable).await {
            Ok(0) => is_told = false,
            Ok(_) => {
                hints.keepers.notify_waiters();
                continue;
            }
            Err(problem) if is_told => tracing::debug!("cancelled jobs could not be looked up: {problem}"),
            Err(problem) => {
                is_told = true;
                tracing::warn!("cancelled jobs could not be looked up, trying again: {problem}");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = hints.ender.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

impl Preparer {
    /// Ends a page of preparations; answers how many. A job that cannot be read is left to the workers, who say so.
    async fn end_cancelled(&self, unreadable: &mut Vec<JobId>) -> Result<usize, Interrupted> {
        let Some(taken) = market::take_cancelled(&self.pool, unreadable).await? else { return Ok(0) };
        let (mut jobs, mut messages) = (Vec::new(), Vec::new());
        for preparation in &taken.preparations {
            let job = preparation.job;
            match self.cancelled(preparation) {
                Ok(message) => {
                    tracing::info!(job.id = %job, "Job {job}: cancelled, no prices are prepared");
                    jobs.push(job);
                    messages.push(message);
                }
                Err(problem) => {
                    tracing::error!(job.id = %job, "Job {job}: cannot be read, so it is not cancelled: {problem}");
                    unreadable.push(job);
                }
            }
        }
        taken.finish(&jobs, &messages).await?;
        self.wake.wake();
        Ok(jobs.len())
    }

    fn cancelled(&self, preparation: &CancelledPreparation) -> Result<NewMessage, Interrupted> {
        let span = tracing::info_span!("prepare prices", job.id = %preparation.job);
        telemetry::continue_from(&span, preparation.traceparent.as_deref());
        let job = job_of(&preparation.body)?;
        let days = Days::of(&job, &self.calendar, &[]);
        let told = Event::DataFailed(conclusion::cancelled(job, &days));
        Ok(span.in_scope(|| runtime::outgoing::event(&told))?)
    }
}
