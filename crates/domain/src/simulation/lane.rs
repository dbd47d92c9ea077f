//! A lane: the days of one portfolio in one job. Which dates it runs is decided when it is planned, and again for each
//! date when its turn comes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::NaiveDate;

use crate::job::{Job, Model};
use crate::simulation::model_day::{DayRef, SkipReason, SkippedDate, Winners};

/// The dates of a portfolio in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePlan {
    /// Dates to run, oldest first. Completed dates are among them when the job replaces them or runs stale ones again.
    pub dates: Vec<NaiveDate>,
    /// Dates that are not run, oldest first.
    pub skipped: Vec<SkippedDate>,
}

/// Plans the lane of trial `trial` of `model` in `job`.
///
/// The downloader provides `closed` and `runnable`; a date that is in neither lacks prices.
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

/// The plan of a lane whose job was cancelled before it was planned: no date runs. `incomplete` are the dates that are
/// known to lack prices; for the others it no longer matters.
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

/// What a lane does with a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayAction {
    /// Run it.
    Run {
        /// The day to continue from.
        base: Option<DayRef>,
        /// The revision that it gets.
        revision: u32,
    },
    /// Keep its completed result.
    Keep,
}

/// What to do with `date` when its turn has come, with the portfolio's winners at that moment.
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
        Some(winner) if job.options.reprocess_stale && winner.is_stale_after(base) => {
            DayAction::Run { base, revision: winner.revision + 1 }
        }
        Some(_) => DayAction::Keep,
    }
}

/// How long the message of a turn that no worker takes is waited for before it is sent again: `first` before the first
/// time, and twice as long as before each further time; the last wait is for all times after it.
pub fn resend_waits(first: Duration) -> [Duration; 7] {
    std::array::from_fn(|resends| first * (1 << resends))
}

/// How many of the completed days that a job kept were run with another configuration than its own, by model. `kept` is
/// the number of kept days by model and configuration hash.
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

#[cfg(test)]
mod tests;
