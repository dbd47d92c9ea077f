//! The length of a window: a span of time when it rolls, a second, hour, day or month of a time zone when it is fixed.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day; a rolling one has 24 hours.
    Day,
    /// A month; a rolling one has 30 days.
    Month,
}

impl Period {
    /// Whether it is so long that a job does not wait for its next window by itself.
    pub fn is_long(self) -> bool {
        match self {
            Self::Second | Self::Minute => false,
            Self::Hour | Self::Day | Self::Month => true,
        }
    }

    /// Its name in settings and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The span of a rolling window.
    pub(super) fn rolling(self) -> TimeDelta {
        match self {
            Self::Second => TimeDelta::seconds(1),
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
            Self::Month => TimeDelta::days(30),
        }
    }

    /// The beginning of the fixed window that contains `now`.
    pub(super) fn start(self, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Second | Self::Minute | Self::Hour => truncated(zone, now, self.rolling()),
            Self::Day => midnight(zone, local_date(zone, now)),
            Self::Month => midnight(zone, first_of_month(local_date(zone, now))),
        }
    }

    /// The beginning of the fixed window after the one that contains `now`.
    pub(super) fn end(self, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Second | Self::Minute | Self::Hour => self.start(zone, now) + self.rolling(),
            Self::Day => midnight(zone, local_date(zone, now) + Days::new(1)),
            Self::Month => midnight(zone, first_of_month(local_date(zone, now)) + Months::new(1)),
        }
    }
}

/// `now` cut to a multiple of `length` in local time: some zones differ from UTC by half an hour.
fn truncated(zone: Tz, now: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    let offset = i64::from(zone.offset_from_utc_datetime(&now.naive_utc()).fix().local_minus_utc());
    let into_window = (now.timestamp() + offset).rem_euclid(length.num_seconds());
    let whole = now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
    whole - TimeDelta::seconds(into_window)
}

/// The first instant of `date`: midnight or, where clocks skip it for summer time, the instant of the change.
fn midnight(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let at = |minutes: i64| date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minutes);
    let exists = |minutes: i64| match zone.from_local_datetime(&at(minutes)) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => Some(instant.to_utc()),
        MappedLocalTime::None => None,
    };
    (0..=24 * 4).find_map(|quarter| exists(quarter * 15)).unwrap_or_else(|| at(0).and_utc())
}

fn local_date(zone: Tz, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date - Days::new(u64::from(date.day0()))
}
