//! A model-day that took effect, with its fills.

use chrono::{SubsecRound as _, Utc};
use domain::accounting::day_result::DayResult;
use domain::accounting::fill::Fill;
use domain::simulation::model_day::CompletedDay;
use domain::simulation::run::{AgentAttempt, ModelDayRun};

/// A day that can take effect.
pub(crate) struct Decided {
    pub(crate) day: CompletedDay,
    pub(crate) fills: Vec<Fill>,
}

impl Decided {
    /// The accounts of `today`; `told` is what an agent's day adds.
    pub(crate) fn new(today: &ModelDayRun<'_>, result: DayResult, told: Option<AgentAttempt>) -> Self {
        let fills = result.fills.clone();
        Self { day: today.completed(result, told, Utc::now().trunc_subsecs(6)), fills }
    }
}
