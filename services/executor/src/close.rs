//! The end of a lane, and with the last one the end of its job.

use domain::events::event::LaneContinue;
use domain::simulation::model_day::SkippedDate;
use runtime::telemetry;
use storage::execution::{Closing, NextLane, SkippedRow};
use storage::outbox::NewMessage;

use crate::Executor;
use crate::counts;
use crate::end::{self, End};
use crate::error::ExecutorError;
use crate::plan::skipped_events;
use crate::turn::Hand;

impl Executor {
    /// Finishes the lane: hands the portfolio on and, with the last lane, ends the job.
    pub(crate) async fn close(&self, hand: &Hand) -> Result<(), ExecutorError> {
        let (lane, job) = (&hand.lane, &hand.job);
        let rest = lane.dates.iter().skip(hand.done);
        let skipped: Vec<SkippedDate> =
            rest.map(|date| SkippedDate { date: *date, reason: hand.reason_to_stop() }).collect();
        let row = SkippedRow { portfolio: lane.portfolio, dates: skipped };
        let mut messages =
            skipped_events(lane.job, &job.job.experiment, &lane.model, lane.trial, &row.dates)?;

        let mut closing = Closing::begin(&self.pool, lane, (!row.dates.is_empty()).then_some(&row)).await?;
        if let Some(next) = &closing.next {
            messages.push(turn_of(next)?);
        }
        let mut warnings = Vec::new();
        if closing.open_lanes == 0 {
            let tally = closing.tally().await?;
            let ending = closing.ending().await?;
            let End { outcome, message, added } = end::end(closing.connection(), job, tally, ending).await?;
            closing.end_job(outcome).await?;
            messages.push(message);
            warnings = added;
        }
        closing.commit(&messages).await?;
        self.wake.wake();
        counts::model_days("skipped", row.dates.len());
        counts::warnings(&warnings);
        Ok(())
    }
}

/// The message of a lane that has waited for its portfolio.
pub(crate) fn turn_of(next: &NextLane) -> Result<NewMessage, ExecutorError> {
    let command = LaneContinue { lane: next.id, turn: next.turn };
    let traceparent = telemetry::current_traceparent();
    Ok(runtime::outgoing::lane_continue(&command, next.job, &next.routing_key, traceparent)?)
}
