//! What a lane runs: which dates at planning, and what to do when a date's turn comes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::job::{Job, Model};
use crate::simulation::model_day::{DayRef, SkipReason, SkippedDate};

/// The winning row of a completed date of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// Its revision.
    pub revision: u32,
    /// The day it continued from.
    pub base: Option<DayRef>,
    /// The configuration it was made under.
    pub config_hash: String,
    /// Whether prices that it ran on were replaced since.
    pub repriced: bool,
}

/// The winning rows of a portfolio by date.
pub type Winners = BTreeMap<NaiveDate, Winner>;

/// What a portfolio does in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePlan {
    /// Dates that come to their turn, ascending; completed ones among them when the job replaces.
    pub dates: Vec<NaiveDate>,
    /// Dates that are not run, ascending.
    pub skipped: Vec<SkippedDate>,
}

/// Plans one portfolio, that of `trial`, of `model` in `job`.
///
/// `closed` and `runnable` come from the downloader; a date that is in neither lacks prices.
pub fn plan_lane(
    job: &Job,
    model: &Model,
    trial: u32,
    closed: &BTreeSet<NaiveDate>,
    runnable: &BTreeSet<NaiveDate>,
    winners: &Winners,
) -> LanePlan {
    let mut plan = LanePlan { dates: Vec::new(), skipped: Vec::new() };
    for date in model.dates(trial, job.end) {
        let winner = winners.get(&date);
        let kept = winner.is_some() && !job.options.replace_existing && !job.options.reprocess_stale;
        let reason = if closed.contains(&date) {
            SkipReason::MarketClosed
        } else if kept {
            SkipReason::AlreadyCompleted
        } else if !runnable.contains(&date) {
            match winner {
                Some(_) => SkipReason::AlreadyCompleted,
                None => SkipReason::IncompletePriceData,
            }
        } else {
            plan.dates.push(date);
            continue;
        };
        plan.skipped.push(SkippedDate { date, reason });
    }
    plan
}

/// What a portfolio of `model` does when `job` was cancelled before it was planned: nothing. `incomplete` are dates
/// that are known to lack prices; of the others nobody needs to know any more.
pub fn cancelled_lane(
    job: &Job,
    model: &Model,
    trial: u32,
    closed: &BTreeSet<NaiveDate>,
    incomplete: &BTreeSet<NaiveDate>,
    winners: &Winners,
) -> LanePlan {
    let open = model.dates(trial, job.end).into_iter().filter(|date| !incomplete.contains(date)).collect();
    let LanePlan { dates, mut skipped } = plan_lane(job, model, trial, closed, &open, winners);
    skipped.extend(dates.into_iter().map(|date| SkippedDate { date, reason: SkipReason::Cancelled }));
    skipped.sort_unstable();
    LanePlan { dates: Vec::new(), skipped }
}

/// What to do with a date whose turn has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayAction {
    /// Run it as this revision, continuing from `base`.
    Run {
        /// The day to continue from.
        base: Option<DayRef>,
        /// The revision to write.
        revision: u32,
    },
    /// Leave it as it is.
    Keep,
}

/// Decides when `date`'s turn has come, with the portfolio's winners as they are now.
pub fn day_action(job: &Job, date: NaiveDate, winners: &Winners) -> DayAction {
    let base = winners
        .range(..date)
        .next_back()
        .map(|(date, winner)| DayRef { date: *date, revision: winner.revision });
    match winners.get(&date) {
        None => DayAction::Run { base, revision: 1 },
        Some(winner) if job.options.replace_existing => {
            DayAction::Run { base, revision: winner.revision + 1 }
        }
        Some(winner) if job.options.reprocess_stale && (winner.repriced || winner.base != base) => {
            DayAction::Run { base, revision: winner.revision + 1 }
        }
        Some(_) => DayAction::Keep,
    }
}

/// How many of the days that a job found completed were made under another configuration than its own, by
/// model. `kept` counts those days by model and by the configuration of the day that won.
pub fn config_changed(job: &Job, kept: &[(String, String, usize)]) -> BTreeMap<String, usize> {
    let mut changed = BTreeMap::new();
    for (model, config_hash, count) in kept {
        let own = job.models.iter().find(|own| own.signature == *model);
        if own.is_some_and(|own| own.config_hash != *config_hash) {
            *changed.entry(model.clone()).or_default() += count;
        }
    }
    changed
}

/// The dates whose winners are stale: their base is not the winner of the previous completed date,
/// or that one is stale itself.
pub fn stale_dates(winners: impl IntoIterator<Item = (NaiveDate, u32, Option<DayRef>)>) -> Vec<NaiveDate> {
    let mut stale = Vec::new();
    let mut previous: Option<(DayRef, bool)> = None;
    for (date, revision, base) in winners {
        let expected = previous.map(|(day, _)| day);
        let is_stale = base != expected || previous.is_some_and(|(_, stale)| stale);
        if is_stale {
            stale.push(date);
        }
        previous = Some((DayRef { date, revision }, is_stale));
    }
    stale
}

/// The dates of a portfolio that are stale: from the first on whose base is not the winner before it, or whose
/// prices were replaced.
pub fn stale_winners(winners: &Winners) -> Vec<NaiveDate> {
    let links = winners.iter().map(|(date, winner)| (*date, winner.revision, winner.base));
    let repriced = winners.iter().find(|(_, winner)| winner.repriced).map(|(date, _)| *date);
    let first = stale_dates(links).first().copied().into_iter().chain(repriced).min();
    let stale = first.into_iter().flat_map(|first| winners.range(first..));
    stale.map(|(date, _)| *date).collect()
}

#[cfg(test)]
mod tests;
