//! The end of a lane, and with the last one the end of its job.

use domain::simulation::model_day::{SkipReason, SkippedDate};
use runtime::relay::Wake;
use storage::PgPool;
use storage::execution::{LaneEnd, SkippedRow};

use super::in_hand::LaneInHand;
use crate::error::ExecutorError;
use crate::job::job_end::{JobEnd, job_end};
use crate::messages::{SkippedOf, skipped_events, turn_of_waiter};
use crate::metrics;

/// Finishes the lane: hands the portfolio on and, with the last lane, ends the job.
pub(super) async fn finish(pool: &PgPool, wake: &Wake, in_hand: &LaneInHand) -> Result<(), ExecutorError> {
    let (lane, job) = (&in_hand.lane, &in_hand.job);
    let reason = in_hand.stopped.unwrap_or(SkipReason::StoppedAfterFailure);
    let skipped = in_hand.rest().iter().map(|date| SkippedDate { date: *date, reason }).collect();
    let row = SkippedRow { portfolio: lane.portfolio, dates: skipped };
    let experiment = &job.job.experiment;
    let of = SkippedOf { job: lane.job, experiment, model: &lane.model, trial: lane.trial };
    let mut messages = skipped_events(of, &row.dates)?;

    let mut closing = LaneEnd::begin(pool, lane, (!row.dates.is_empty()).then_some(&row)).await?;
    let has_next = closing.next.is_some();
    if let Some(next) = &closing.next {
        messages.push(turn_of_waiter(next)?);
    }
    let mut warnings = Vec::new();
    if closing.open_lanes == 0 {
        let tally = closing.tally().await?;
        let end_cause = closing.end_cause().await?;
        let JobEnd { outcome, message, added } = job_end(closing.connection(), job, tally, end_cause).await?;
        closing.end_job(outcome).await?;
        messages.push(message);
        warnings = added;
    }
    closing.commit(&messages).await?;
    if has_next {
        wake.wake();
    } else {
        wake.wake_for_urgent_events();
    }
    metrics::model_days("skipped", row.dates.len());
    metrics::warnings(&warnings);
    Ok(())
}
