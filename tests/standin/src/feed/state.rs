//! What a stand-in knows: its prices, its clock, its limits, its faults, and the calls so far.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use domain::market::calendar::{Calendar, exchange_date};

use crate::alpha_vantage::bar::Bar;
use crate::alpha_vantage::fault::{Fault, ScriptedFault};
use crate::alpha_vantage::prices::{Prices, visible};

/// A call, with the name of the response it got.
#[derive(Debug, Clone)]
pub struct FeedCall {
    /// The symbol as it was written, or the date.
    pub subject: String,
    /// The key.
    pub key: String,
    /// `prices`, the name of a refusal, or `fault MODE`.
    pub answer: String,
}

/// The behaviour of a stand-in.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) now: DateTime<Utc>,
    /// As long as none is listed, every key that is not bad is accepted.
    pub(crate) keys: BTreeSet<String>,
    pub(crate) bad_keys: BTreeSet<String>,
    /// How many calls fit into a window of this length of the stand-in's clock.
    pub(crate) limit: Option<(u32, TimeDelta)>,
    pub(crate) delay: Duration,
    /// By symbol or date; `*` stands for all without a fault of their own.
    pub(crate) faults: BTreeMap<String, ScriptedFault>,
    /// The first and the last date of symbols that are not listed all the time.
    pub(crate) listed: BTreeMap<String, RangeInclusive<NaiveDate>>,
    /// Symbols that the service does not have.
    pub(crate) unknown: BTreeSet<String>,
    /// By symbol and date: the split factor as it is written.
    pub(crate) splits: BTreeMap<(String, NaiveDate), String>,
    /// By symbol and date: the dollars for each share as they are written.
    pub(crate) dividends: BTreeMap<(String, NaiveDate), String>,
    /// The symbols of a whole date.
    pub(crate) market: BTreeSet<String>,
    /// Older dates are not in the key's plan.
    pub(crate) reaches_back_to: Option<NaiveDate>,
}

/// The state of a running stand-in.
pub(crate) struct State {
    pub(crate) prices: Prices,
    pub(crate) settings: Settings,
    pub(crate) calls: Vec<FeedCall>,
    window: Option<(DateTime<Utc>, u32)>,
    calendar: Calendar,
}

/// Why a call is refused before its subject matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NoKey,
    BadKey,
    UsedUp,
}

impl Settings {
    /// The newest day that has prices.
    pub(crate) fn today(&self) -> NaiveDate {
        exchange_date(self.now)
    }
}

impl State {
    pub(crate) fn new(prices: Prices, settings: Settings) -> Self {
        Self { prices, settings, calls: Vec::new(), window: None, calendar: Calendar::nyse() }
    }

    /// Admits a call with this key, and counts it.
    pub(crate) fn admit(&mut self, key: Option<&str>) -> Result<(), Refused> {
        let key = key.filter(|key| !key.is_empty()).ok_or(Refused::NoKey)?;
        let Settings { keys, bad_keys, limit, now, .. } = &self.settings;
        if bad_keys.contains(key) || (!keys.is_empty() && !keys.contains(key)) {
            return Err(Refused::BadKey);
        }
        let Some((most, length)) = *limit else { return Ok(()) };
        let start = now.duration_trunc(length).unwrap_or(*now);
        let used = self.window.filter(|(of, _)| *of == start).map_or(0, |(_, used)| used);
        if used >= most {
            return Err(Refused::UsedUp);
        }
        self.window = Some((start, used + 1));
        Ok(())
    }

    /// The fault of a subject, with one response less to go.
    pub(crate) fn take_fault(&mut self, subject: &str) -> Option<Fault> {
        let faults = &mut self.settings.faults;
        let key = if faults.contains_key(subject) { subject } else { "*" };
        let scripted = faults.get_mut(key)?;
        match &mut scripted.left {
            None => {}
            Some(0) => return None,
            Some(left) => *left -= 1,
        }
        Some(scripted.fault)
    }

    pub(crate) fn note(&mut self, subject: &str, key: Option<&str>, answer: String) {
        let (subject, key) = (subject.to_owned(), key.unwrap_or_default().to_owned());
        self.calls.push(FeedCall { subject, key, answer });
    }

    /// The bars of a symbol between two dates, oldest first; `None` when the service does not have it.
    pub(crate) fn bars(&self, symbol: &str, dates: RangeInclusive<NaiveDate>) -> Option<Vec<Bar>> {
        if self.settings.unknown.contains(symbol) {
            return None;
        }
        let series = self.prices.series(symbol)?;
        let mut bars = visible(&series, self.settings.today(), self.settings.listed.get(symbol));
        bars.reverse();
        bars.retain(|bar| dates.contains(&bar.date));
        Some(bars)
    }

    pub(crate) fn is_session(&self, date: NaiveDate) -> bool {
        self.calendar.is_session(date)
    }
}
