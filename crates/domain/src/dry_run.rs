//! A dry run: which model-days a job would run if it were accepted now, and which prices it would fetch.
//!
//! It uses the rules of the services themselves, so it is right as long as nothing else happens in between.

pub mod cost_estimate;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::ingest::coverage::{Coverage, Need, Verdict};
use crate::ingest::fetch_plan::{Offer, Request, Shape, plan};
use crate::job::{Job, Model};
use crate::market::calendar::{Calendar, weekdays};
use crate::market::instruments::Symbol;
use crate::simulation::lane::{DayAction, day_action, plan_lane};
use crate::simulation::model_day::{SkipReason, Winner, Winners};

/// The winners of the job's portfolios, by model and trial; a portfolio without any is missing.
pub type PortfolioWinners = BTreeMap<(String, u32), Winners>;

/// The model-days of one model, over its trials. The four counts add up to the requested weekdays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelDayCounts {
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
    /// Sessions whose prices are missing.
    pub incomplete_prices: usize,
}

/// The sources of missing prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// They are unknown; all prices count as available.
    Unknown,
    /// In order of preference; none without a key.
    Listed(Vec<Source>),
}

/// A source of missing prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it offers.
    pub offer: Offer,
    /// Calls that are left.
    pub calls_left: usize,
    /// How many of them a request takes, at least one.
    pub calls_per_request: usize,
    /// Symbols that it has refused.
    pub refused: BTreeSet<Symbol>,
}

/// What would be fetched, and what could run after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownloadForecast {
    /// Symbols that lack prices.
    pub symbols: BTreeSet<Symbol>,
    /// Sessions that lack prices of some symbol.
    pub dates: BTreeSet<NaiveDate>,
    /// Calls that fetch all of them.
    pub requests: usize,
    /// Sessions whose prices no provider can have yet.
    pub not_yet: BTreeSet<NaiveDate>,
    /// Sessions that could run after the download.
    pub runnable: BTreeSet<NaiveDate>,
}

/// Weekdays of the job without a session.
pub fn closed_weekdays(job: &Job, calendar: &Calendar) -> BTreeSet<NaiveDate> {
    weekdays(job.first_date(), job.end).into_iter().filter(|date| !calendar.is_session(*date)).collect()
}

/// Sessions that at least one portfolio of the job has to run.
pub fn sessions_to_run(job: &Job, calendar: &Calendar, portfolios: &PortfolioWinners) -> BTreeSet<NaiveDate> {
    let closed = closed_weekdays(job, calendar);
    let sessions = weekdays(job.start, job.end).into_iter().filter(|date| !closed.contains(date)).collect();
    let lanes = job
        .models
        .iter()
        .flat_map(|model| trials_of(model, portfolios).map(move |portfolio| (model, portfolio)));
    let dates = |(model, (trial, winners)): (&Model, (u32, Winners))| {
        plan_lane(job, model, trial, &closed, &sessions, &winners).dates
    };
    lanes.flat_map(dates).collect()
}

/// The model-days of `model` when the sessions of `runnable` have their prices.
pub fn model_day_counts(
    job: &Job,
    model: &Model,
    closed: &BTreeSet<NaiveDate>,
    runnable: &BTreeSet<NaiveDate>,
    portfolios: &PortfolioWinners,
) -> ModelDayCounts {
    let mut counts = ModelDayCounts::default();
    for (trial, mut winners) in trials_of(model, portfolios) {
        let lane = plan_lane(job, model, trial, closed, runnable, &winners);
        for skipped in &lane.skipped {
            match skipped.reason {
                SkipReason::MarketClosed => counts.market_closed += 1,
                SkipReason::AlreadyCompleted => counts.already_completed += 1,
                SkipReason::IncompletePriceData
                | SkipReason::Cancelled
                | SkipReason::StoppedAfterFailure
                | SkipReason::BudgetExhausted => counts.incomplete_prices += 1,
            }
        }
        for date in lane.dates {
            match day_action(job, date, &winners) {
                DayAction::Run { base, revision } => {
                    let config_hash = model.config_hash.clone();
                    winners.insert(date, Winner { revision, base, config_hash, repriced: false });
                    counts.to_run += 1;
                    counts.first = Some(counts.first.map_or(date, |first| first.min(date)));
                    counts.last = counts.last.max(Some(date));
                }
                DayAction::Keep => counts.already_completed += 1,
            }
        }
    }
    counts
}

/// The trials of `model` with their winners.
fn trials_of<'a>(
    model: &'a Model,
    portfolios: &'a PortfolioWinners,
) -> impl Iterator<Item = (u32, Winners)> + 'a {
    model
        .requested_trials()
        .map(|trial| (trial, portfolios.get(&(model.signature.clone(), trial)).cloned().unwrap_or_default()))
}

/// What would be fetched for the sessions of `coverage`, none of them after `fetchable_until`. Each source is asked for
/// what the ones before it leave.
pub fn download_forecast(
    coverage: &Coverage,
    sources: &Sources,
    now: DateTime<Utc>,
    fetchable_until: NaiveDate,
) -> DownloadForecast {
    let need = coverage.need(now, fetchable_until);
    let by_symbol = Offer { shape: Shape::BySymbol, earliest: None };
    let unlimited =
        Source { offer: by_symbol, calls_left: usize::MAX, calls_per_request: 1, refused: BTreeSet::new() };
    let nothing = Source { calls_left: 0, ..unlimited.clone() };
    let sources = match sources {
        Sources::Unknown => &[unlimited][..],
        Sources::Listed(sources) if sources.is_empty() => &[nothing],
        Sources::Listed(sources) => sources,
    };
    let (mut rest, mut requests) = (need.clone(), 0);
    for source in sources {
        let per_request = source.calls_per_request.max(1);
        let planned = plan(&source.part_of(&rest), &source.offer, source.calls_left / per_request);
        requests += planned.len() * per_request;
        source.take(&mut rest, &planned);
    }
    // The calls that no budget allows.
    requests += sources.first().map_or(0, |first| {
        plan(&first.part_of(&rest), &first.offer, usize::MAX).len() * first.calls_per_request.max(1)
    });
    let still_missing: BTreeSet<NaiveDate> = rest.missing.values().flatten().copied().collect();
    let available = coverage.verdicts().into_iter().filter(|(_, verdict)| *verdict == Verdict::Available);
    let arrive = need.missing.values().flatten().copied().filter(|date| !still_missing.contains(date));
    let runnable = available.map(|(date, _)| date).chain(arrive).collect();
    let (symbols, dates) = missing_prices(&need);
    DownloadForecast { requests, runnable, not_yet: need.not_fetchable, symbols, dates }
}

impl Source {
    /// The part of `need` that it may be asked for.
    fn part_of(&self, need: &Need) -> Need {
        let mut part = need.clone();
        part.missing.retain(|symbol, _| !self.refused.contains(symbol));
        part.recheck.retain(|symbol, _| !self.refused.contains(symbol));
        part.others.retain(|(symbol, _)| !self.refused.contains(symbol));
        part
    }

    /// Takes what these calls bring out of `need`.
    fn take(&self, need: &mut Need, calls: &[Request]) {
        let calls: BTreeSet<&Request> = calls.iter().collect();
        let reach = self.offer.earliest.unwrap_or(NaiveDate::MIN);
        let stays = |symbol: &Symbol, date: &NaiveDate| {
            let is_called = calls.contains(&Request::Symbol(symbol.clone()))
                || (calls.contains(&Request::Date(*date)) && !self.refused.contains(symbol));
            *date < reach || !is_called
        };
        for cells in [&mut need.missing, &mut need.recheck] {
            cells.iter_mut().for_each(|(symbol, dates)| dates.retain(|date| stays(symbol, date)));
            cells.retain(|_, dates| !dates.is_empty());
        }
        need.others.iter_mut().for_each(|(symbol, dates)| dates.retain(|date| stays(symbol, date)));
        need.others.retain(|(_, dates)| !dates.is_empty());
    }
}

/// The symbols and the dates of all prices to fetch.
fn missing_prices(need: &Need) -> (BTreeSet<Symbol>, BTreeSet<NaiveDate>) {
    let others = need.others.iter().map(|(symbol, dates)| (symbol, dates));
    let prices: Vec<_> = need.missing.iter().chain(&need.recheck).chain(others).collect();
    let dates = prices.iter().flat_map(|(_, dates)| dates.iter().copied()).collect();
    (prices.into_iter().map(|(symbol, _)| symbol.clone()).collect(), dates)
}

#[cfg(test)]
mod tests;
