//! What a preparation comes to: which dates can run, which cannot and why, and what the user should know.
//!
//! Pure: the caller passes what is known about prices and what came of the download.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::events::event::{DataFailed, DataReady, DataWaiting, Event};
use domain::ingest::coverage::Verdict;
use domain::job::Job;
use domain::job::warning::{Warning, code};
use domain::market::instruments::Symbol;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use storage::market::Finding;

use crate::days::Days;
use crate::download::Report;
use crate::stop::Stop;

/// The error of a job none of whose dates has its prices, when there is no better one.
const NOTHING_TO_RUN: &str = "No trading dates available after price data preparation";

/// The error of a job that was cancelled before its prices were settled. Nobody shows it: the job is cancelled, and
/// not failed.
const CANCELLED: &str = "The job was cancelled";

/// How many examples a warning's message names.
const EXAMPLES: usize = 5;

/// The event that ends a preparation, or puts it off until then.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Conclusion {
    /// Dates can run, or none has to: `data.ready`.
    Ready(DataReady),
    /// No date can run: `data.failed`.
    Failed(DataFailed),
    /// The job waits for the budget's next window: `data.waiting`.
    Waiting(DataWaiting),
}

impl Conclusion {
    /// The warnings that it carries.
    pub(crate) fn warnings(&self) -> &[Warning] {
        match self {
            Self::Ready(event) => &event.warnings,
            Self::Failed(event) => &event.warnings,
            Self::Waiting(_) => &[],
        }
    }

    /// Until when the preparation is put off.
    pub(crate) fn until(&self) -> Option<DateTime<Utc>> {
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

/// Concludes a preparation. `verdicts` are of the needed sessions; sessions that every portfolio has completed
/// are neither run nor missed.
pub(crate) fn conclude(
    job: Job,
    days: &Days,
    verdicts: &BTreeMap<NaiveDate, Verdict>,
    report: &Report,
) -> Conclusion {
    let (runnable, incomplete): (Vec<_>, Vec<_>) =
        verdicts.iter().partition(|(_, verdict)| **verdict == Verdict::Available);
    let dates =
        |cells: Vec<(&NaiveDate, &Verdict)>| cells.into_iter().map(|(date, _)| *date).collect::<Vec<_>>();
    let (runnable, incomplete) = (dates(runnable), dates(incomplete));
    let is_hopeless = runnable.is_empty() && !incomplete.is_empty();
    if let (true, true, Some(Stop::RateLimited { until })) =
        (is_hopeless, job.options.wait_for_data, &report.stop)
    {
        return Conclusion::Waiting(DataWaiting { job: job.id, until: *until });
    }
    let refusal = refusal(report, &incomplete);
    let warnings = warnings(days, &incomplete, report, refusal.as_ref());
    let skipped = skipped(days, &incomplete);
    if is_hopeless {
        let error = refusal.map_or(NOTHING_TO_RUN.to_owned(), |refusal| refusal.to_string());
        Conclusion::Failed(DataFailed { job, error, skipped, warnings })
    } else {
        Conclusion::Ready(DataReady { job, runnable, skipped, warnings })
    }
}

/// Concludes the preparation of a job that was cancelled: of its sessions nothing is said, since nobody looks any
/// more.
pub(crate) fn cancelled(job: Job, days: &Days) -> DataFailed {
    let warnings = closed(days).into_iter().collect();
    DataFailed { job, error: CANCELLED.to_owned(), skipped: skipped(days, &[]), warnings }
}

/// Why the provider did not give what is missing, when it was not for the budget.
fn refusal(report: &Report, incomplete: &[NaiveDate]) -> Option<Stop> {
    match &report.stop {
        Some(Stop::RateLimited { .. }) | None => {
            let earliest = report.earliest.filter(|earliest| incomplete.iter().any(|date| date < earliest));
            earliest.map(|earliest| Stop::OutOfReach { earliest })
        }
        Some(stop) => Some(stop.clone()),
    }
}

fn skipped(days: &Days, incomplete: &[NaiveDate]) -> Vec<SkippedDate> {
    let closed = days.closed.iter().map(|(date, _)| (*date, SkipReason::MarketClosed));
    let incomplete = incomplete.iter().map(|date| (*date, SkipReason::IncompletePriceData));
    let mut skipped: Vec<_> =
        closed.chain(incomplete).map(|(date, reason)| SkippedDate { date, reason }).collect();
    skipped.sort_unstable();
    skipped
}

fn warnings(days: &Days, incomplete: &[NaiveDate], report: &Report, refusal: Option<&Stop>) -> Vec<Warning> {
    let rate_limited = match report.stop {
        Some(Stop::RateLimited { .. }) => Some(Warning::rate_limited(report.succeeded, report.total)),
        _ => None,
    };
    let failed: Vec<Symbol> = report.failed.keys().cloned().collect();
    let symbols_failed = (!failed.is_empty()).then(|| Warning::symbols_failed(failed.clone()));
    let reasons = (!failed.is_empty()).then(|| reasons(report).about(failed));
    let skipped = (!incomplete.is_empty()).then(|| Warning::dates_skipped(incomplete.to_vec()));
    let refused = refusal.map(|stop| Warning::new(code::PROVIDER_REFUSED, stop.to_string(), 1));
    let (revised, rejected) = (revised(&report.findings), rejected(&report.findings));
    let all = [refused, rate_limited, symbols_failed, reasons, skipped, closed(days), revised, rejected];
    all.into_iter().flatten().collect()
}

fn closed(days: &Days) -> Option<Warning> {
    (!days.closed.is_empty()).then(|| Warning::market_closed(days.closed.clone()))
}

/// Why symbols failed.
fn reasons(report: &Report) -> Warning {
    let reasons = report.failed.iter().map(|(symbol, reason)| format!("{symbol}: {reason}"));
    Warning::new(code::PROVIDER_REFUSED, format!("Alpha Vantage gave no prices - {}", some(reasons)), 0)
}

fn revised(findings: &[Finding]) -> Option<Warning> {
    let revised = || findings.iter().filter(|finding| !finding.revised.is_empty());
    let bars: usize = revised().map(|finding| finding.revised.len()).sum();
    let examples = revised().map(|finding| format!("{}: {} bars", finding.symbol, finding.revised.len()));
    let message =
        format!("The provider now gives other prices for stored bars, which are kept - {}", some(examples));
    let symbols = revised().map(|finding| finding.symbol.clone()).collect();
    (bars > 0).then(|| Warning { symbols, ..Warning::new(code::PRICE_REVISED, message, bars) })
}

fn rejected(findings: &[Finding]) -> Option<Warning> {
    let rejected = || findings.iter().filter(|finding| !finding.rejected.is_empty());
    let rows: usize = rejected().map(|finding| finding.rejected.len()).sum();
    let of_symbol = |finding: &'_ Finding| -> Vec<String> {
        finding.rejected.iter().map(|row| format!("{} {row}", finding.symbol)).collect()
    };
    let message =
        format!("Left out {rows} rows of the provider's answers - {}", some(rejected().flat_map(of_symbol)));
    let symbols = rejected().map(|finding| finding.symbol.clone()).collect();
    (rows > 0).then(|| Warning { symbols, ..Warning::new(code::ROWS_REJECTED, message, rows) })
}

/// The first few of these, and that there are more.
fn some(examples: impl Iterator<Item = String>) -> String {
    let mut examples: Vec<String> = examples.collect();
    let more = examples.len().saturating_sub(EXAMPLES);
    examples.truncate(EXAMPLES);
    let text = examples.join("; ");
    if more == 0 { text } else { format!("{text}; and {more} more") }
}

#[cfg(test)]
#[path = "conclusion/tests.rs"]
mod tests;
