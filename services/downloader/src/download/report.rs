//! What a download has achieved.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::ingest::coverage::Need;
use domain::ingest::outlook::Outlook;
use domain::market::instruments::Symbol;
use domain::market::renames::Rename;
use storage::market::Finding;

use super::source::SourceLabel;
use super::stop_reason::StopReason;

/// The result of a download, work before an interruption included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Symbols that had to be fetched.
    pub(crate) total: usize,
    /// Symbols that were fetched.
    pub(crate) succeeded: usize,
    /// Symbols that a source has refused.
    pub(crate) refused: BTreeSet<Symbol>,
    /// Symbols that could not be fetched, with the reason.
    pub(crate) failed: BTreeMap<Symbol, String>,
    /// Dates whose prices could not be fetched, with the reason.
    pub(crate) failed_dates: BTreeMap<NaiveDate, String>,
    /// Symbols of the job that no source has, with the reason.
    pub(crate) absent: BTreeMap<Symbol, String>,
    /// Renames of the job that take a symbol from another company of which nothing more is known.
    pub(crate) takeovers: Vec<Rename>,
    /// Why sources were given up early, in their order.
    pub(crate) stops: Vec<StopReason>,
    /// The name of a paused source that may give something of what is missing.
    pub(crate) paused_source: Option<String>,
    /// What the call quota kept from the job, when it is the reason.
    pub(crate) outlook: Option<Outlook>,
    /// The oldest date that the plan of each source's key reaches; `None` without a limit.
    pub(crate) reach: Vec<(SourceLabel, Option<NaiveDate>)>,
    /// Whether the beginning of the download was published.
    pub(crate) is_announced: bool,
    /// Rejected rows and revised prices in the responses.
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    /// Nothing was fetched, for this reason.
    pub(crate) fn stopped(stop: StopReason) -> Self {
        Self { stops: vec![stop], ..Self::default() }
    }

    /// Symbols that are done, for better or worse.
    pub(crate) fn done(&self) -> usize {
        (self.succeeded + self.refused.len() + self.failed.len()).min(self.total)
    }

    /// Forgets failures of one source that another has made good: `need` is what is missing in the end.
    pub(crate) fn keep_missing(&mut self, need: &Need) {
        self.failed.retain(|symbol, _| !need.dates_of(symbol).is_empty());
        self.failed_dates.retain(|date, _| need.missing.values().any(|dates| dates.contains(date)));
    }

    /// Why the download ended early: the quota that returns first, else the reason of the most preferred source.
    pub(crate) fn stop(&self) -> Option<StopReason> {
        let limited = self.stops.iter().filter_map(|stop| match stop {
            StopReason::RateLimited { until, .. } => Some((*until, stop)),
            _ => None,
        });
        limited.min_by_key(|(until, _)| *until).map(|(_, stop)| stop).or(self.stops.first()).cloned()
    }

    /// Notes the oldest date that a source reaches, which it may find out on the way.
    pub(crate) fn note_reach(&mut self, source: &SourceLabel, earliest: Option<NaiveDate>) {
        self.reach.retain(|(known, _)| known != source);
        self.reach.push((source.clone(), earliest));
    }

    /// The oldest date that any source reaches, and which; `None` without a limit.
    pub(crate) fn earliest(&self) -> Option<(SourceLabel, NaiveDate)> {
        let limited = self.reach.iter().map(|(source, date)| Some((source.clone(), (*date)?)));
        limited.collect::<Option<Vec<_>>>()?.into_iter().min_by_key(|(_, date)| *date)
    }
}
