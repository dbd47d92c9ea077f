//! How a preparation ends: which dates can run, which cannot and why, and what the user is warned of.
//!
//! Pure: the caller passes the verdict about each date and the report of the download.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::events::event::{DataFailed, DataReady, DataWaiting, Event};
use domain::ingest::coverage::Verdict;
use domain::ingest::outlook::{Outlook, WAYS_OUT};
use domain::job::Job;
use domain::job::warning::{Warning, code};
use domain::market::instruments::Symbol;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use storage::market::Finding;

use super::needed_dates::NeededDates;
use crate::download::report::Report;
use crate::download::stop_reason::StopReason;

/// The error of a job without a complete date, unless the provider's refusal explains it.
const NOTHING_TO_RUN: &str = "No trading dates available after price data preparation";

/// The error of a job that was cancelled during its preparation. Users never see it: the job's state is cancelled,
/// not failed.
const CANCELLED: &str = "The job was cancelled";

/// How many examples a warning's message has at most.
const MAX_EXAMPLES: usize = 5;

/// The event that ends a preparation, or delays it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Conclusion {
    /// Dates can run, or no date is left to run: `data.ready`.
    Ready(DataReady),
    /// No date can run: `data.failed`.
    Failed(DataFailed),
    /// The job waits for the next window of the call quota: `data.waiting`.
    Waiting(DataWaiting),
}

impl Conclusion {
    /// The warnings of the event.
    pub(super) fn warnings(&self) -> &[Warning] {
        match self {
            Self::Ready(event) => &event.warnings,
            Self::Failed(event) => &event.warnings,
            Self::Waiting(_) => &[],
        }
    }

    /// Until when the preparation is delayed.
    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Waiting(event) => Some(event.until),
            Self::Ready(_) | Self::Failed(_) => None,
        }
    }
}

impl From<Conclusion> for Event {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Ready(event) => Self::DataReady(event),
            Conclusion::Failed(event) => Self::DataFailed(event),
            Conclusion::Waiting(event) => Self::DataWaiting(event),
        }
    }
}

/// The paused source that a preparation waits for, whatever else it lacks: a pause makes no job fail and no date skipped.
pub(super) fn paused_source<'a>(
    verdicts: &BTreeMap<NaiveDate, Verdict>,
    report: &'a Report,
) -> Option<&'a str> {
    let is_incomplete = verdicts.values().any(|verdict| *verdict != Verdict::Available);
    report.paused_source.as_deref().filter(|_| is_incomplete)
}

/// Concludes a preparation. `verdicts` has the needed sessions only, so sessions that every portfolio has completed
/// are neither run nor skipped.
pub(super) fn conclude(
    job: Job,
    dates: &NeededDates,
    verdicts: &BTreeMap<NaiveDate, Verdict>,
    report: &Report,
) -> Conclusion {
    let dates_that = |can_run: bool| -> Vec<NaiveDate> {
        let chosen = verdicts.iter().filter(|(_, verdict)| (**verdict == Verdict::Available) == can_run);
        chosen.map(|(date, _)| *date).collect()
    };
    let (runnable, incomplete) = (dates_that(true), dates_that(false));
    let is_blocked = runnable.is_empty() && !incomplete.is_empty();
    if let (true, true, Some(StopReason::RateLimited { until, .. })) =
        (is_blocked, job.options.wait_for_data, report.stop())
    {
        let symbols_missing = report.outlook.map_or(0, |outlook| outlook.symbols_missing);
        let windows = report.outlook.and_then(|outlook| outlook.windows);
        return Conclusion::Waiting(DataWaiting { job: job.id, until, symbols_missing, windows });
    }
    let refusal = refusal(report, &incomplete);
    let warnings = warnings(dates, &incomplete, report, refusal.as_ref());
    let skipped = skipped(dates, &incomplete);
    if is_blocked {
        let warnings = warnings.into_iter().chain(report.outlook.map(missing)).collect();
        let error = match (refusal, report.absent.is_empty()) {
            (Some(refusal), _) => refusal.to_string(),
            (None, true) => NOTHING_TO_RUN.to_owned(),
            (None, false) => {
                let reasons = report.absent.iter().map(|(symbol, reason)| format!("{symbol}: {reason}"));
                format!("{NOTHING_TO_RUN}. No source has prices of these symbols - {}", listed(reasons))
            }
        };
        Conclusion::Failed(DataFailed { job, error, skipped, warnings })
    } else {
        Conclusion::Ready(DataReady { job, runnable, skipped, warnings })
    }
}

/// Concludes the preparation of a cancelled job. It names closed days, but no missing prices, as none were looked
/// for.
pub(super) fn cancelled(job: Job, dates: &NeededDates) -> DataFailed {
    let warnings = closed(dates).into_iter().collect();
    DataFailed { job, error: CANCELLED.to_owned(), skipped: skipped(dates, &[]), warnings }
}

/// Why the provider did not give what is missing, when the call quota was not the reason.
fn refusal(report: &Report, incomplete: &[NaiveDate]) -> Option<StopReason> {
    match report.stop() {
        Some(StopReason::RateLimited { .. }) | None => {
            let (label, earliest) = report.earliest()?;
            let is_out_of_reach = incomplete.iter().any(|date| *date < earliest);
            is_out_of_reach.then_some(StopReason::OutOfReach { label, earliest })
        }
        Some(stop) => Some(stop),
    }
}

fn skipped(dates: &NeededDates, incomplete: &[NaiveDate]) -> Vec<SkippedDate> {
    let closed = dates.closed.iter().map(|(date, _)| (*date, SkipReason::MarketClosed));
    let incomplete = incomplete.iter().map(|date| (*date, SkipReason::IncompletePriceData));
    let mut skipped: Vec<_> =
        closed.chain(incomplete).map(|(date, reason)| SkippedDate { date, reason }).collect();
    skipped.sort_unstable();
    skipped
}

fn warnings(
    dates: &NeededDates,
    incomplete: &[NaiveDate],
    report: &Report,
    refusal: Option<&StopReason>,
) -> Vec<Warning> {
    let rate_limited = match report.stop() {
        Some(StopReason::RateLimited { .. }) => Some(Warning::rate_limited(report.succeeded, report.total)),
        _ => None,
    };
    let failed: Vec<Symbol> = report.failed.keys().cloned().collect();
    let symbols_failed = (!failed.is_empty()).then(|| Warning::symbols_failed(failed.clone()));
    let has_failed = !failed.is_empty() || !report.failed_dates.is_empty();
    let reasons = has_failed.then(|| reasons(report).about(failed));
    let unavailable = (!report.absent.is_empty()).then(|| Warning::symbols_unavailable(&report.absent));
    let skipped = (!incomplete.is_empty()).then(|| Warning::dates_skipped(incomplete.to_vec()));
    let refused = refusal.map(|stop| Warning::new(code::PROVIDER_REFUSED, stop.to_string(), 1));
    let taken_over = (!report.takeovers.is_empty()).then(|| Warning::symbol_taken_over(&report.takeovers));
    let (revised, rejected) = (revised(&report.findings), rejected(&report.findings));
    let all = [
        refused,
        rate_limited,
        symbols_failed,
        reasons,
        unavailable,
        skipped,
        closed(dates),
        taken_over,
        revised,
        rejected,
    ];
    all.into_iter().flatten().collect()
}

fn closed(dates: &NeededDates) -> Option<Warning> {
    (!dates.closed.is_empty()).then(|| Warning::market_closed(dates.closed.clone()))
}

/// The warning that says why symbols failed.
fn reasons(report: &Report) -> Warning {
    let symbols = report.failed.iter().map(|(symbol, reason)| format!("{symbol}: {reason}"));
    let dates = report.failed_dates.iter().map(|(date, reason)| format!("{date}: {reason}"));
    let message = format!("There are no prices - {}", listed(symbols.chain(dates)));
    Warning::new(code::PROVIDER_REFUSED, message, report.failed_dates.len())
}

/// The warning that says what the call quota did not allow, when it will, and what else can be done.
fn missing(outlook: Outlook) -> Warning {
    let message = format!("{outlook}. To get them, {WAYS_OUT}");
    Warning::new(code::PRICES_MISSING, message, outlook.symbols_missing as usize)
}

fn revised(findings: &[Finding]) -> Option<Warning> {
    let revised = || findings.iter().filter(|finding| !finding.revised.is_empty());
    let bars: usize = revised().map(|finding| finding.revised.len()).sum();
    let examples = revised().map(|finding| format!("{}: {} bars", finding.symbol, finding.revised.len()));
    let message =
        format!("The provider now gives other prices for stored bars, which are kept - {}", listed(examples));
    let symbols = revised().map(|finding| finding.symbol.clone()).collect();
    (bars > 0).then(|| Warning { symbols, ..Warning::new(code::PRICE_REVISED, message, bars) })
}

fn rejected(findings: &[Finding]) -> Option<Warning> {
    let rejected = || findings.iter().filter(|finding| !finding.rejected.is_empty());
    let rows: usize = rejected().map(|finding| finding.rejected.len()).sum();
    let of_symbol = |finding: &'_ Finding| -> Vec<String> {
        finding.rejected.iter().map(|row| format!("{} {row}", finding.symbol)).collect()
    };
    let message = format!(
        "Left out {rows} rows of the provider's answers - {}",
        listed(rejected().flat_map(of_symbol))
    );
    let symbols = rejected().map(|finding| finding.symbol.clone()).collect();
    (rows > 0).then(|| Warning { symbols, ..Warning::new(code::ROWS_REJECTED, message, rows) })
}

/// The first few examples, and how many more there are.
fn listed(examples: impl Iterator<Item = String>) -> String {
    let mut examples: Vec<String> = examples.collect();
    let more = examples.len().saturating_sub(MAX_EXAMPLES);
    examples.truncate(MAX_EXAMPLES);
    let text = examples.join("; ");
    if more == 0 { text } else { format!("{text}; and {more} more") }
}

#[cfg(test)]
mod tests;
