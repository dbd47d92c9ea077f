//! What a job would do if it were accepted now: which model-days it would run, which prices it would fetch.
//!
//! Made of the rules that the services go by when they do it, so that it says what they will do as long as
//! nothing else happens meanwhile.

pub mod cost_estimate;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::ingest::coverage::{Coverage, Need, Verdict};
use crate::ingest::fetch_plan::{Offer, Shape, completed, plan};
use crate::job::{Job, Model};
use crate::market::calendar::{Calendar, weekdays};
use crate::market::instruments::Symbol;
use crate::simulation::lane::{DayAction, day_action, plan_lane};
use crate::simulation::model_day::{SkipReason, Winner, Winners};

/// The winners of the job's portfolios, by model and trial; a portfolio without any is missing.
pub type Chains = BTreeMap<(String, u32), Winners>;

/// The model-days of one model, over its trials. The four counts add up to the weekdays asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// First session that a trial runs.
    pub first: Option<NaiveDate>,
    /// Last session that a trial runs.
    pub last: Option<NaiveDate>,
    /// Model-days that are run.
    pub to_run: usize,
    /// Model-days that are completed and kept.
    pub already_completed: usize,
    /// Weekdays without a session.
    pub market_closed: usize,
    /// Sessions whose prices cannot be had.
    pub incomplete_prices: usize,
}

/// Where missing prices would come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It is not known; everything is taken to be had.
    Unknown,
    /// There is none.
    Missing,
    /// A provider that gives so many answers before its budget is used up.
    Provider {
        /// What it offers.
        offer: Offer,
        /// Calls that are left.
        calls_left: usize,
    },
}

/// What would be fetched, and what could be run then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Download {
    /// Symbols that lack prices.
    pub symbols: BTreeSet<Symbol>,
    /// Sessions that lack prices of some symbol.
    pub dates: BTreeSet<NaiveDate>,
    /// Calls that fetch all of them.
    pub requests: usize,
    /// Sessions that no provider can have prices of yet.
    pub not_yet: BTreeSet<NaiveDate>,
    /// Sessions that could be run after the download.
    pub runnable: BTreeSet<NaiveDate>,
}

/// Weekdays of the job without a session.
pub fn closed(job: &Job, calendar: &Calendar) -> BTreeSet<NaiveDate> {
    let first = job.models.iter().map(|model| model.start).min().unwrap_or(job.start);
    weekdays(first, job.end).into_iter().filter(|date| !calendar.is_session(*date)).collect()
}

/// Sessions that some portfolio of the job has still to run.
pub fn needed(job: &Job, calendar: &Calendar, chains: &Chains) -> BTreeSet<NaiveDate> {
    let closed = closed(job, calendar);
    let sessions = weekdays(job.start, job.end).into_iter().filter(|date| !closed.contains(date)).collect();
    let lanes =
        job.models.iter().flat_map(|model| winners(model, chains).map(move |portfolio| (model, portfolio)));
    let dates = |(model, (trial, winners)): (&Model, (u32, Winners))| {
        plan_lane(job, model, trial, &closed, &sessions, &winners).dates
    };
    lanes.flat_map(dates).collect()
}

/// What the portfolios of `model` do when the sessions of `runnable` have their prices.
pub fn share(
    job: &Job,
    model: &Model,
    closed: &BTreeSet<NaiveDate>,
    runnable: &BTreeSet<NaiveDate>,
    chains: &Chains,
) -> Share {
    let mut share = Share::default();
    for (trial, mut winners) in winners(model, chains) {
        let lane = plan_lane(job, model, trial, closed, runnable, &winners);
        for skipped in &lane.skipped {
            match skipped.reason {
                SkipReason::MarketClosed => share.market_closed += 1,
                SkipReason::AlreadyCompleted => share.already_completed += 1,
                SkipReason::IncompletePriceData
                | SkipReason::Cancelled
                | SkipReason::StoppedAfterFailure
                | SkipReason::BudgetExhausted => share.incomplete_prices += 1,
            }
        }
        for date in lane.dates {
            match day_action(job, date, &winners) {
                DayAction::Run { base, revision } => {
                    let config_hash = model.config_hash.clone();
                    winners.insert(date, Winner { revision, base, config_hash, repriced: false });
                    share.to_run += 1;
                    share.first = Some(share.first.map_or(date, |first| first.min(date)));
                    share.last = share.last.max(Some(date));
                }
                DayAction::Keep => share.already_completed += 1,
            }
        }
    }
    share
}

/// The trials of `model` with their winners.
fn winners<'a>(model: &'a Model, chains: &'a Chains) -> impl Iterator<Item = (u32, Winners)> + 'a {
    model
        .trials_asked()
        .map(|trial| (trial, chains.get(&(model.signature.clone(), trial)).cloned().unwrap_or_default()))
}

/// What would be fetched for the sessions of `coverage`; nothing after `fetchable_until` can be.
pub fn download(
    coverage: &Coverage,
    source: &Source,
    now: DateTime<Utc>,
    fetchable_until: NaiveDate,
) -> Download {
    let need = coverage.need(now, fetchable_until);
    let unlimited = Offer { shape: Shape::BySymbol, earliest: None };
    let (offer, calls_left) = match source {
        Source::Unknown => (unlimited, usize::MAX),
        Source::Missing => (unlimited, 0),
        Source::Provider { offer, calls_left } => (*offer, *calls_left),
    };
    let reach = offer.earliest.unwrap_or(NaiveDate::MIN);
    let everything = plan(&need, &offer, usize::MAX);
    let requests = everything.len();
    let made = if calls_left < requests { plan(&need, &offer, calls_left) } else { everything };
    let arrive = completed(&need, &made);
    let available = coverage.verdicts().into_iter().filter(|(_, verdict)| *verdict == Verdict::Available);
    let runnable = available.map(|(date, _)| date).chain(arrive.into_iter().filter(|date| *date >= reach));
    let (symbols, dates) = wanted(&need);
    Download { requests, runnable: runnable.collect(), not_yet: need.not_fetchable, symbols, dates }
}

fn wanted(need: &Need) -> (BTreeSet<Symbol>, BTreeSet<NaiveDate>) {
    let others = need.others.iter().map(|(symbol, dates)| (symbol, dates));
    let cells: Vec<_> = need.missing.iter().chain(&need.recheck).chain(others).collect();
    let dates = cells.iter().flat_map(|(_, dates)| dates.iter().copied()).collect();
    (cells.into_iter().map(|(symbol, _)| symbol.clone()).collect(), dates)
}

#[cfg(test)]
mod tests;
