//! The leaderboard's row of a replayed portfolio.

use super::{RecordedPortfolio, ReplayedDay, ReplayedOutcome};
use crate::events::job_view::days::DayFigures;
use crate::performance::leaderboard::{LeaderboardRow, PortfolioDays, Reference, portfolio_row};
use crate::simulation::model_day::DayRef;
use crate::simulation::staleness::stale_from;

/// The leaderboard's row over the replayed days; `None` when none completed. Returns start from the portfolio's value
/// at the close before these days, when there is one.
pub fn leaderboard_row(portfolio: &RecordedPortfolio, days: &[ReplayedDay]) -> Option<LeaderboardRow> {
    let completed = days.iter().filter_map(|day| match &day.outcome {
        ReplayedOutcome::Completed { day, .. } => Some((day.key.date, DayFigures::from(day.as_ref()))),
        ReplayedOutcome::Failed(_) | ReplayedOutcome::Skipped => None,
    });
    let completed: Vec<_> = completed.collect();
    let (from, to) = (completed.first()?.0, completed.last()?.0);
    let before = portfolio.bases.iter().rev().find(|base| base.end.day.date < from).and_then(|base| {
        let value_at_close = base.value_at_close?;
        let figures = DayFigures {
            revision: base.end.day.revision,
            base: None,
            starting_value: base.end.value_at_open,
            value_at_open: base.end.value_at_open,
            value_at_close,
            trades: 0,
            traded: rust_decimal::Decimal::ZERO,
        };
        Some((base.end.day.date, figures))
    });
    let days: Vec<_> = before.into_iter().chain(completed).collect();
    let chain = days
        .iter()
        .map(|(date, day): &(_, DayFigures)| (DayRef { date: *date, revision: day.revision }, day.base));
    let stale_from = stale_from(chain);
    let (model, trial) = (portfolio.model.clone(), portfolio.trial);
    // A training cutoff divides the whole history of a portfolio, not the days of one job.
    portfolio_row(
        &PortfolioDays { model, trial, training_cutoff: None, days, stale_from },
        from,
        to,
        &Reference::default(),
    )
}
