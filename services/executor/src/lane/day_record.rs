//! The records of a day that has ended: its row, its events, and what it changes for the days after it.

use chrono::{DateTime, SubsecRound as _, Utc};
use contract::ContractError;
use domain::accounting::day_result::DayResult;
use domain::events::event::Event;
use domain::simulation::model_day::{CompletedDay, DayRef, FailedDay, SkipReason, SkippedDate, Winner};
use domain::simulation::run::{AgentAttempt, ModelDayRun, PortfolioDay};
use domain::values::ids::ModelDayKey;
use storage::execution::{CompletedRow, DayOutcome, EndedAttempt, NewModelDay};

use super::day_step::EndedDay;
use crate::messages::{SkippedOf, skipped_events};

/// An agent's attempt that has ended: as events report it, and as it is stored.
pub(super) struct AttemptRecord {
    pub(super) attempt: AgentAttempt,
    pub(super) row: EndedAttempt,
}

/// A day that takes effect; `traceparent` is the trace context in which it was run.
pub(super) fn completed(
    today: &ModelDayRun<'_>,
    result: DayResult,
    traceparent: Option<String>,
    attempt: Option<AttemptRecord>,
) -> Result<EndedDay, ContractError> {
    let fills = result.fills.clone();
    let (attempt, attempt_row) = attempt.map(|record| (record.attempt, record.row)).unzip();
    let day = today.completed(result, attempt, Utc::now().trunc_subsecs(6));
    let CompletedDay { revision, base, attempt, .. } = day;
    let date = day.key.date;
    let position = day.ending_position.clone();
    let (value_at_open, value_at_close) = (day.value_at_open, day.value_at_close);
    let config_hash = day.config_hash.clone();
    let winner = Winner { revision, base, config_hash: config_hash.clone(), repriced: false };
    let portfolio =
        PortfolioDay { day: DayRef { date, revision }, position: position.clone(), value_at_open };
    let event = Event::ModelDayCompleted(Box::new(day));
    let events = vec![runtime::outgoing::event_from(&event, traceparent)?];
    let row = CompletedRow { revision, base, config_hash, position, value_at_open, value_at_close, fills };
    Ok(EndedDay {
        day: NewModelDay { date, attempt, outcome: DayOutcome::Completed(row), events },
        effect: Some((winner, portfolio)),
        attempt: attempt_row,
    })
}

/// A day that failed; it leaves no trace in the portfolio.
pub(super) fn failed(
    key: ModelDayKey,
    error: String,
    began: DateTime<Utc>,
    attempt: Option<AttemptRecord>,
) -> Result<EndedDay, ContractError> {
    tracing::warn!(job.id = %key.job, model = %key.model, trading_date = %key.date, "model-day failed: {error}");
    let date = key.date;
    let (attempt, attempt_row) = attempt.map(|record| (record.attempt, record.row)).unzip();
    let number = attempt.as_ref().map_or(1, |attempt| attempt.attempt);
    let failed = FailedDay {
        key,
        attempt: number,
        error: error.clone(),
        started_at: attempt.as_ref().map_or(began, |attempt| attempt.started_at),
        completed_at: Utc::now().trunc_subsecs(6),
        agent: attempt.map(|attempt| attempt.report),
    };
    let events = vec![runtime::outgoing::event(&Event::ModelDayFailed(failed))?];
    Ok(EndedDay {
        day: NewModelDay { date, attempt: number, outcome: DayOutcome::Failed(error), events },
        effect: None,
        attempt: attempt_row,
    })
}

/// A day that another job has completed since this one was planned.
pub(super) fn already_completed(key: &ModelDayKey) -> Result<EndedDay, ContractError> {
    let ModelDayKey { job, ref experiment, ref model, trial, date } = *key;
    let reason = SkipReason::AlreadyCompleted;
    let events =
        skipped_events(SkippedOf { job, experiment, model, trial }, &[SkippedDate { date, reason }])?;
    let outcome = DayOutcome::Skipped(reason);
    Ok(EndedDay { day: NewModelDay { date, attempt: 0, outcome, events }, effect: None, attempt: None })
}
