//! Cancelling a job: one transaction ends its lanes, skips its open days, hands its portfolios on and reports the end.

use std::sync::Arc;

use contract::decode_job_cancel;
use domain::job::EndCause;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use domain::values::ids::JobId;
use runtime::relay::Wake;
use storage::PgPool;
use storage::execution::{JobCancellation, SkippedRow, pending_cancellations};
use storage::trigger::is_cancelled;

use super::cache::{JobCache, PlannedJob};
use super::job_end::{JobEnd, job_end};
use super::stop_signal::StopSignals;
use crate::error::ExecutorError;
use crate::messages::{SkippedOf, skipped_events, turn_of_waiter};
use crate::metrics;

/// Ends jobs that were cancelled.
pub(crate) struct Canceller {
    pool: PgPool,
    wake: Wake,
    jobs: Arc<JobCache>,
    stop_signals: Arc<StopSignals>,
}

impl Canceller {
    pub(crate) fn new(pool: PgPool, wake: Wake, jobs: Arc<JobCache>, stop_signals: Arc<StopSignals>) -> Self {
        Self { pool, wake, jobs, stop_signals }
    }

    /// Cancels the job of a `job.cancel` message, which is only believed when trigger has stored the cancellation.
    pub(crate) async fn cancel_message(&self, body: &[u8]) -> Result<(), ExecutorError> {
        let job = decode_job_cancel(body)?.job;
        if !is_cancelled(&self.pool, job).await? {
            return Err(ExecutorError::Inconsistent(format!("job {job} is not known as cancelled")));
        }
        self.cancel(job).await
    }

    /// Carries out the cancellations whose command did not come.
    pub(crate) async fn cancel_forgotten(&self) -> Result<(), ExecutorError> {
        for job in pending_cancellations(&self.pool).await? {
            self.cancel(job).await?;
        }
        Ok(())
    }

    /// Ends a job that was cancelled, unless it has ended. One that is not planned ends with its plan.
    async fn cancel(&self, job: JobId) -> Result<(), ExecutorError> {
        if let Some(planned) = self.jobs.find(&self.pool, job).await? {
            self.end(&planned).await?;
        }
        // Also when another process has ended it: turns of this process must not go on.
        self.stop_signals.stop(job);
        Ok(())
    }

    async fn end(&self, planned: &PlannedJob) -> Result<(), ExecutorError> {
        let job = planned.job.id;
        let Some(mut cancelling) = JobCancellation::begin(&self.pool, job).await? else { return Ok(()) };
        let (mut messages, mut skipped) = (Vec::new(), Vec::new());
        for lane in &cancelling.lanes {
            let cancelled = |date: &_| SkippedDate { date: *date, reason: SkipReason::Cancelled };
            let dates: Vec<SkippedDate> = lane.rest.iter().map(cancelled).collect();
            let experiment = &planned.job.experiment;
            let of = SkippedOf { job, experiment, model: &lane.model, trial: lane.trial };
            messages.extend(skipped_events(of, &dates)?);
            skipped.push(SkippedRow { portfolio: lane.portfolio, dates });
        }
        for next in &cancelling.next {
            messages.push(turn_of_waiter(next)?);
        }
        cancelling.store(&skipped).await?;
        let tally = cancelling.tally().await?;
        let JobEnd { message, added, .. } =
            job_end(cancelling.connection(), planned, tally, EndCause::Cancelled).await?;
        messages.push(message);
        cancelling.commit(&messages).await?;
        self.wake.wake();
        metrics::model_days("skipped", skipped.iter().map(|row| row.dates.len()).sum());
        metrics::warnings(&added);
        Ok(())
    }
}
