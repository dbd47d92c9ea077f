//! Ends the preparations of cancelled jobs at once, whether a worker has claimed them or they wait.

use std::sync::Arc;
use std::time::Duration;

use domain::events::event::Event;
use domain::values::ids::JobId;
use messaging::{Handler, Incoming, Outcome};
use runtime::parts::Part;
use runtime::telemetry;
use storage::market::{self, CancelledPreparation};
use storage::outbox::NewMessage;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::conclusion;
use super::needed_dates::NeededDates;
use super::preparer::job_of;
use crate::context::{Context, Interruption};

/// How often cancelled jobs are looked up when no hint arrives.
const POLL: Duration = Duration::from_millis(500);

/// Notifications inside this process that a job was cancelled.
#[derive(Clone, Default)]
pub(crate) struct CancelHints {
    canceller: Arc<Notify>,
    lease_renewals: Arc<Notify>,
}

impl Handler for CancelHints {
    async fn handle(&self, _: Incoming) -> Outcome {
        self.canceller.notify_one();
        Outcome::Done
    }
}

impl CancelHints {
    /// Waits until preparations have been ended, so that their workers check their leases early.
    pub(super) async fn preparations_ended(&self) {
        self.lease_renewals.notified().await;
    }
}

/// Ends the preparations of cancelled jobs.
pub(crate) struct Canceller {
    pub(crate) context: Arc<Context>,
    pub(crate) hints: CancelHints,
}

impl Canceller {
    /// Ends preparations until `shutdown`, which `part` shows.
    pub(crate) async fn run(self, shutdown: CancellationToken, part: Part) {
        let mut unreadable = Vec::new();
        let mut is_reported = false;
        while !shutdown.is_cancelled() {
            part.round();
            let ended = self.end_page(&mut unreadable).await;
            part.note(&ended);
            match ended {
                Ok(0) => is_reported = false,
                Ok(_) => {
                    self.hints.lease_renewals.notify_waiters();
                    continue;
                }
                Err(problem) if is_reported => {
                    tracing::debug!("cancelled jobs could not be looked up: {problem}");
                }
                Err(problem) => {
                    is_reported = true;
                    tracing::warn!("cancelled jobs could not be looked up, trying again: {problem}");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.hints.canceller.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Ends a page of preparations and returns how many. A job that cannot be decoded is added to `unreadable`
    /// and left to the workers, which report it.
    async fn end_page(&self, unreadable: &mut Vec<JobId>) -> Result<usize, Interruption> {
        let Some(taken) = market::take_cancelled(&self.context.pool, unreadable).await? else { return Ok(0) };
        let (mut jobs, mut messages) = (Vec::new(), Vec::new());
        for preparation in &taken.preparations {
            let job = preparation.job;
            match self.message(preparation) {
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
        self.context.wake.wake_for_urgent_events();
        Ok(jobs.len())
    }

    /// The `data.failed` message of a cancelled job.
    fn message(&self, preparation: &CancelledPreparation) -> Result<NewMessage, Interruption> {
        let span = tracing::info_span!("prepare prices", job.id = %preparation.job);
        telemetry::continue_from(&span, preparation.traceparent.as_deref(), None);
        let job = job_of(&preparation.body)?;
        let dates = NeededDates::of(&job, &self.context.calendar, &[]);
        let event = Event::DataFailed(conclusion::cancelled(job, &dates));
        Ok(span.in_scope(|| runtime::outgoing::event(&event))?)
    }
}
