//! The replay of one portfolio, day after day.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::day::replay_day;
use super::{Bundle, RecordedDay, RecordedPortfolio, ReplayedDay, ReplayedOutcome};
use crate::job::{Model, OnFailure};
use crate::simulation::decider::Decider;
use crate::simulation::model_day::DayRef;
use crate::simulation::price_window::{PriceWindow, WindowedPrices};
use crate::simulation::run::{ModelDayRun, PortfolioDay, universe_on};
use crate::values::ids::ModelDayKey;

/// The ends of days that later ones may continue from, by date.
type Ends = BTreeMap<NaiveDate, PortfolioDay>;

/// Runs all days of `portfolio` again, oldest first; none when the job does not have its model. A day whose recorded
/// base was not reached in the replay continues from the latest day before it that was.
pub fn replay(bundle: &Bundle, portfolio: &RecordedPortfolio) -> Vec<ReplayedDay> {
    let model = bundle.job.models.iter().find(|model| model.signature == portfolio.model);
    let Some(model) = model else { return Vec::new() };
    let decider = Decider::from(model);
    let lookback = bundle.lookback();
    let mut ends: Ends = portfolio.bases.iter().map(|base| (base.end.day.date, base.end.clone())).collect();
    let mut stopped = false;
    let mut days = Vec::with_capacity(portfolio.days.len());
    for recorded in &portfolio.days {
        if stopped {
            let outcome = ReplayedOutcome::Skipped;
            days.push(ReplayedDay { outcome, transcript: None, missing: None });
            continue;
        }
        let day = one_day(bundle, (model, &decider, lookback), portfolio, recorded, &ends);
        match &day.outcome {
            ReplayedOutcome::Completed { day, .. } => {
                let end = PortfolioDay {
                    day: DayRef { date: recorded.date, revision: recorded.revision },
                    position: day.ending_position.clone(),
                    value_at_open: day.value_at_open,
                };
                ends.insert(recorded.date, end);
            }
            ReplayedOutcome::Failed(_) | ReplayedOutcome::Skipped => {
                stopped = bundle.job.options.on_failure == OnFailure::Stop;
            }
        }
        days.push(day);
    }
    days
}

fn one_day(
    bundle: &Bundle,
    (model, decider, lookback): (&Model, &Decider, usize),
    portfolio: &RecordedPortfolio,
    recorded: &RecordedDay,
    ends: &Ends,
) -> ReplayedDay {
    let job = &bundle.job;
    let key = ModelDayKey {
        job: job.id,
        experiment: job.experiment.clone(),
        model: portfolio.model.clone(),
        trial: portfolio.trial,
        date: recorded.date,
    };
    let previous = previous(recorded, ends);
    let stretch = PriceWindow::of(&bundle.calendar, recorded.date);
    let range = (stretch.from(&bundle.calendar, lookback), stretch.last);
    let held = previous.map(|day| &day.position);
    let received = previous.map(|day| {
        let held = day.position.holdings().keys();
        bundle.actions.received(held, day.day.date, recorded.date)
    });
    let received = received.unwrap_or_default();
    let prices = WindowedPrices::new(&bundle.prices, &job.universe, held, received, range);
    let universe = universe_on(recorded.date, &job.universe, &prices, &bundle.actions, bundle.rules);
    let today = ModelDayRun {
        key: &key,
        universe: &universe,
        model,
        decider,
        prices: &prices,
        actions: &bundle.actions,
        rules: bundle.rules,
        calendar: &bundle.calendar,
        previous,
        day_index: recorded.day_index,
        revision: recorded.revision,
        began: job.accepted_at,
    };
    replay_day(&today, recorded)
}

/// The day to continue from.
fn previous<'e>(recorded: &RecordedDay, ends: &'e Ends) -> Option<&'e PortfolioDay> {
    let base = recorded.base?;
    let reached = ends.get(&base.date).filter(|end| end.day == base);
    reached.or_else(|| ends.range(..recorded.date).next_back().map(|(_, end)| end))
}
