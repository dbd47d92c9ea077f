//! Cancelling a job: one transaction ends its lanes, skips its open days, hands its portfolios on and says so.

use std::sync::Arc;

use contract::decode_job_cancel;
use domain::job::Ending;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use domain::values::ids::JobId;
use messaging::{Handler, Incoming, Outcome};
use storage::execution::{Cancelling, SkippedRow, uncancelled};
use storage::trigger::is_cancelled;

use crate::Executor;
use crate::close::turn_of;
use crate::consume::settle;
use crate::counts;
use crate::end::{self, End};
use crate::error::ExecutorError;
use crate::plan::skipped_events;

/// Carries out `job.cancel`.
pub(crate) struct Cancels(pub(crate) Arc<Executor>);

impl Handler for Cancels {
    async fn handle(&self, message: Incoming) -> Outcome {
        settle(self.0.cancel_told(&message.envelope.body).await)
    }
}

/// Hints that a job was cancelled, told to every executor: whoever has it in hand lets go of it.
pub(crate) struct Hints(pub(crate) Arc<Executor>);

impl Handler for Hints {
    async fn handle(&self, message: Incoming) -> Outcome {
        if let Err(problem) = self.0.cancel_told(&message.envelope.body).await {
            tracing::debug!("a hint was of no use: {problem}");
        }
        Outcome::Done
    }
}

impl Executor {
    async fn cancel_told(&self, body: &[u8]) -> Result<(), ExecutorError> {
        let job = decode_job_cancel(body)?.job;
        if !is_cancelled(&self.pool, job).await? {
            return Err(ExecutorError::Inconsistent(format!("job {job} is not known as cancelled")));
        }
        self.cancel(job).await
    }

    /// Carries out the cancellations whose command did not come.
    pub(crate) async fn cancel_forgotten(&self) {
        let cancelled = async {
            for job in uncancelled(&self.pool).await? {
                self.cancel(job).await?;
            }
            Ok::<_, ExecutorError>(())
        };
        if let Err(problem) = cancelled.await {
            tracing::warn!("cancelled jobs could not be looked up: {problem}");
        }
    }

    /// Ends a job that was cancelled, unless it has ended. One that is not planned ends with its plan.
    async fn cancel(&self, job: JobId) -> Result<(), ExecutorError> {
        self.try_cancel(job).await?;
        // Whoever did it: turns of this process must not go on.
        self.stops.stop(job);
        Ok(())
    }

    async fn try_cancel(&self, job: JobId) -> Result<(), ExecutorError> {
        let Some(planned) = self.jobs.find(&self.pool, job).await? else { return Ok(()) };
        let Some(mut cancelling) = Cancelling::begin(&self.pool, job).await? else { return Ok(()) };
        let (mut messages, mut skipped) = (Vec::new(), Vec::new());
        for lane in &cancelling.lanes {
            let cancelled = |date: &_| SkippedDate { date: *date, reason: SkipReason::Cancelled };
            let dates: Vec<SkippedDate> = lane.rest.iter().map(cancelled).collect();
            let (experiment, model, trial) = (&planned.job.experiment, &lane.model, lane.trial);
            messages.extend(skipped_events(job, experiment, model, trial, &dates)?);
            skipped.push(SkippedRow { portfolio: lane.portfolio, dates });
        }
        for next in &cancelling.next {
            messages.push(turn_of(next)?);
        }
        cancelling.store(&skipped).await?;
        let tally = cancelling.tally().await?;
        let End { message, added, .. } =
            end::end(cancelling.connection(), &planned, tally, Ending::Cancelled).await?;
        messages.push(message);
        cancelling.commit(&messages).await?;
        self.wake.wake();
        counts::model_days("skipped", skipped.iter().map(|row| row.dates.len()).sum());
        counts::warnings(&added);
        Ok(())
    }
}
