//! When the exchange trades: sessions, closures, short days and closing instants.
//!
//! NYSE and NASDAQ have the same sessions. The table ends with 2030; a date after it has no session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::America::New_York;

mod nyse;
#[cfg(test)]
mod tests;

/// The first and the last year of the table.
pub const YEARS: std::ops::RangeInclusive<i32> = 2000..=2030;
const CLOSE: (u32, u32) = (16, 0);
const SHORT_CLOSE: (u32, u32) = (13, 0);
const AD_HOC: &str = "ad hoc closure";

static NYSE: LazyLock<Calendar> = LazyLock::new(|| Calendar(Arc::new(Days::of_the_table())));

/// The sessions of the New York exchanges, 2000 to 2030. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar(Arc<Days>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Days {
    sessions: Vec<NaiveDate>,
    closures: BTreeMap<NaiveDate, &'static str>,
    short: BTreeSet<NaiveDate>,
}

impl Days {
    fn of_the_table() -> Self {
        let closures: BTreeMap<_, _> = nyse::CLOSED
            .iter()
            .flat_map(|(name, days)| days.iter().filter_map(|digits| Some((date(*digits)?, *name))))
            .collect();
        let range = date(YEARS.start() * 10_000 + 101).zip(date(YEARS.end() * 10_000 + 1231));
        let mut sessions = range.map(|(first, last)| weekdays(first, last)).unwrap_or_default();
        sessions.retain(|day| !closures.contains_key(day));
        Self { sessions, closures, short: nyse::SHORT.iter().filter_map(|digits| date(*digits)).collect() }
    }
}

impl Calendar {
    /// The New York Stock Exchange's calendar, as announced and, for later years, projected.
    pub fn nyse() -> Self {
        NYSE.clone()
    }

    /// This calendar without sessions on `dates`; the name of these closures is `ad hoc closure`.
    ///
    /// Dates that are not sessions keep what they are.
    #[must_use]
    pub fn with_closures(self, dates: impl IntoIterator<Item = NaiveDate>) -> Self {
        let closed: BTreeSet<_> = dates.into_iter().filter(|date| self.is_session(*date)).collect();
        let mut days = Arc::unwrap_or_clone(self.0);
        days.sessions.retain(|day| !closed.contains(day));
        days.closures.extend(closed.into_iter().map(|day| (day, AD_HOC)));
        Self(Arc::new(days))
    }

    /// Whether the table contains the year of `date`. Every other method treats a date outside it as a closed day.
    pub fn covers(&self, date: NaiveDate) -> bool {
        YEARS.contains(&date.year())
    }

    /// Whether the exchange trades on `date`.
    pub fn is_session(&self, date: NaiveDate) -> bool {
        self.0.sessions.binary_search(&date).is_ok()
    }

    /// Why a weekday has no session; `None` on sessions, weekends and dates outside the table.
    pub fn closure_name(&self, date: NaiveDate) -> Option<&str> {
        self.0.closures.get(&date).copied()
    }

    /// The dates of all ad hoc closures, oldest first.
    pub fn ad_hoc_closures(&self) -> impl Iterator<Item = NaiveDate> {
        self.0.closures.iter().filter(|(_, name)| **name == AD_HOC).map(|(date, _)| *date)
    }

    /// The covered sessions from `start` to `end`, both included, oldest first.
    pub fn sessions(&self, start: NaiveDate, end: NaiveDate) -> Vec<NaiveDate> {
        let range = self.position(start)..self.0.sessions.partition_point(|day| *day <= end);
        self.0.sessions.get(range).unwrap_or_default().to_vec()
    }

    /// The last `count` sessions before `date`, oldest first; fewer at the beginning of the table,
    /// none when it does not cover `date`.
    pub fn sessions_before(&self, date: NaiveDate, count: usize) -> &[NaiveDate] {
        let end = if self.covers(date) { self.position(date) } else { 0 };
        self.0.sessions.get(end.saturating_sub(count)..end).unwrap_or_default()
    }

    /// The latest session before `date` itself; `None` at the beginning of the table and outside it.
    pub fn previous_session(&self, date: NaiveDate) -> Option<NaiveDate> {
        self.sessions_before(date, 1).first().copied()
    }

    /// The first session after `date` itself; `None` at the end of the table and outside it.
    pub fn next_session(&self, date: NaiveDate) -> Option<NaiveDate> {
        let after = self.0.sessions.partition_point(|day| *day <= date);
        self.0.sessions.get(after).copied().filter(|_| self.covers(date))
    }

    /// When the session of `date` closes: 16:00 in New York, 13:00 on short days. `None` without a session.
    pub fn close_at(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        let time = if self.0.short.contains(&date) { SHORT_CLOSE } else { CLOSE };
        self.is_session(date).then(|| instant(date, time)).flatten()
    }

    /// The latest session that closed at least `after` before `now`; `None` when the table does not
    /// cover the exchange's date at `now`.
    pub fn last_closed_session(&self, now: DateTime<Utc>, after: Duration) -> Option<NaiveDate> {
        let deadline = now.checked_sub_signed(TimeDelta::from_std(after).ok()?)?;
        let closed = |day: &NaiveDate| self.close_at(*day).is_some_and(|close| close <= deadline);
        let last = self.0.sessions.partition_point(closed).checked_sub(1)?;
        self.0.sessions.get(last).copied().filter(|_| self.covers(exchange_date(now)))
    }

    /// The last session whose bar may be stored: it closed at least 4 hours before `now`.
    pub fn last_storable_session(&self, now: DateTime<Utc>) -> Option<NaiveDate> {
        self.last_closed_session(now, Duration::from_hours(4))
    }

    /// The last session whose bars are final: it closed at least 24 hours before `now`.
    pub fn last_final_session(&self, now: DateTime<Utc>) -> Option<NaiveDate> {
        self.last_closed_session(now, Duration::from_hours(24))
    }

    fn position(&self, date: NaiveDate) -> usize {
        self.0.sessions.partition_point(|day| *day < date)
    }
}

/// Monday to Friday from `start` to `end`, both included, oldest first, with holidays.
pub fn weekdays(start: NaiveDate, end: NaiveDate) -> Vec<NaiveDate> {
    let weekday = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    start.iter_days().take_while(|day| *day <= end).filter(weekday).collect()
}

/// The date in New York at `now`.
pub fn exchange_date(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&New_York).date_naive()
}

fn instant(date: NaiveDate, (hour, minute): (u32, u32)) -> Option<DateTime<Utc>> {
    let local = New_York.from_local_datetime(&date.and_hms_opt(hour, minute, 0)?).single()?;
    Some(local.with_timezone(&Utc))
}

/// The date written as `YYYYMMDD`.
fn date(digits: i32) -> Option<NaiveDate> {
    let part = |value: i32| u32::try_from(value % 100).ok();
    NaiveDate::from_ymd_opt(digits / 10_000, part(digits / 100)?, part(digits)?)
}
