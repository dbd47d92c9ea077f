//! The lane's next day: whether it is run, on which prices, and what the model makes of it.

use std::sync::Arc;

use chrono::{NaiveDate, SubsecRound as _, Utc};
use domain::accounting::split_detection::SuspectedSplit;
use domain::market::calendar::Calendar;
use domain::simulation::decider::Decider;
use domain::simulation::lane::{DayAction, day_action};
use domain::simulation::model_day::{CRASHED, DayRef};
use domain::simulation::run::{ModelDayRun, universe_on};
use domain::values::ids::ModelDayKey;
use runtime::telemetry;
use storage::PgPool;
use storage::execution;

use super::agent_day::agent_day;
use super::day_record::{already_completed, completed, failed};
use super::day_step::{DayStep, EndedDay};
use super::in_hand::LaneInHand;
use crate::agent::AgentDays;
use crate::error::ExecutorError;
use crate::price_cache::PriceCache;

/// A day that was begun so often without end is failed.
const MAX_CRASHES: u32 = 5;

/// Runs days.
pub(super) struct DayRunner {
    pub(super) pool: PgPool,
    pub(super) calendar: Calendar,
    pub(super) prices: PriceCache,
    pub(super) agents: AgentDays,
}

impl DayRunner {
    /// Runs the lane's next day, that of `date`.
    pub(super) async fn run(
        &self,
        in_hand: &mut LaneInHand,
        date: NaiveDate,
    ) -> Result<DayStep, ExecutorError> {
        let ended = |day: EndedDay| Ok(DayStep::Ended(Box::new(day)));
        let job = in_hand.job.clone();
        let key = key(in_hand, date);
        let (model, decider) = job.model(&key.model).ok_or_else(|| {
            ExecutorError::Inconsistent(format!("job {} has no model {}", key.job, key.model))
        })?;
        let began = Utc::now().trunc_subsecs(6);
        let DayAction::Run { base, revision } = day_action(&job.job, date, &in_hand.history.winners) else {
            return ended(already_completed(&key)?);
        };
        if in_hand.lane.crashes > MAX_CRASHES && in_hand.is_at_its_front() {
            return ended(failed(key, CRASHED.to_owned(), began, None)?);
        }
        self.continue_from(in_hand, base).await?;
        let previous = in_hand.previous.as_ref();
        let market =
            if decider.reads_prices() || previous.is_some_and(|day| !day.position.holdings().is_empty()) {
                self.prices.around(&self.pool, &job, date, previous).await?
            } else {
                Arc::default()
            };
        let universe = universe_on(date, &job.job.universe, &market.table, &market.actions, job.rules);
        let today = ModelDayRun {
            key: &key,
            universe: &universe,
            model,
            decider,
            prices: &market.table,
            actions: &market.actions,
            rules: job.rules,
            calendar: &self.calendar,
            previous,
            day_index: in_hand.completed_before(date),
            revision,
            began,
        };
        self.note_suspected_splits(&today).await?;
        self.note_unpriced_holdings(&today).await?;
        if let Decider::Agent(agent) = decider {
            let visit = in_hand.visit.as_deref();
            return agent_day(&self.agents, &in_hand.lane, &today, agent, visit).await;
        }
        match today.run() {
            Ok(result) => ended(completed(&today, result, telemetry::current_traceparent(), None)?),
            Err(problem) => ended(failed(key.clone(), problem.to_string(), began, None)?),
        }
    }

    /// Notes overnight moves that look like splits which no source has reported; the job's end warns of them.
    async fn note_suspected_splits(&self, today: &ModelDayRun<'_>) -> Result<(), ExecutorError> {
        let found = today.suspected_splits();
        if found.is_empty() {
            return Ok(());
        }
        let (job, date) = (today.key.job, today.key.date);
        for SuspectedSplit { symbol, close, open, ratio } in &found {
            tracing::warn!(job.id = %job, %symbol, trading_date = %date,
                "{symbol} opens at {open} after a close of {close}: a split of {ratio} that is not known?");
        }
        let found: Vec<_> = found.iter().map(|split| (&split.symbol, split.ratio.as_str())).collect();
        execution::record_suspected_splits(&self.pool, job, date, &found).await?;
        Ok(())
    }

    /// Notes held symbols that have had no price for many sessions; the job's end warns of them.
    async fn note_unpriced_holdings(&self, today: &ModelDayRun<'_>) -> Result<(), ExecutorError> {
        // A day without accounts fails below, with the reason.
        let found = today.unpriced_holdings().unwrap_or_default();
        if !found.is_empty() {
            execution::record_unpriced_holdings(&self.pool, today.key.job, &found).await?;
        }
        Ok(())
    }

    /// Makes `base` the day that the next one continues from.
    async fn continue_from(
        &self,
        in_hand: &mut LaneInHand,
        base: Option<DayRef>,
    ) -> Result<(), ExecutorError> {
        if in_hand.previous.as_ref().map(|previous| previous.day) != base {
            in_hand.previous = match base {
                Some(day) => Some(execution::position_after(&self.pool, in_hand.lane.portfolio, day).await?),
                None => None,
            };
        }
        Ok(())
    }
}

fn key(in_hand: &LaneInHand, date: NaiveDate) -> ModelDayKey {
    let lane = &in_hand.lane;
    let experiment = in_hand.job.job.experiment.clone();
    ModelDayKey { job: lane.job, experiment, model: lane.model.clone(), trial: lane.trial, date }
}
