//! Where a second, minute, hour, day or month begins and ends in a time zone.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use super::Per;

/// The beginning of the window that contains `now`.
pub(super) fn start(per: Per, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    match per {
        Per::Second => truncated(zone, now, 1),
        Per::Minute => truncated(zone, now, 60),
        Per::Hour => truncated(zone, now, 3_600),
        Per::Day => midnight(zone, local_date(zone, now)),
        Per::Month => midnight(zone, first_of_month(local_date(zone, now))),
    }
}

/// The beginning of the window after the one that contains `now`.
pub(super) fn end(per: Per, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    match per {
        Per::Second => truncated(zone, now, 1) + TimeDelta::seconds(1),
        Per::Minute => truncated(zone, now, 60) + TimeDelta::minutes(1),
        Per::Hour => truncated(zone, now, 3_600) + TimeDelta::hours(1),
        Per::Day => midnight(zone, local_date(zone, now) + Days::new(1)),
        Per::Month => midnight(zone, first_of_month(local_date(zone, now)) + Months::new(1)),
    }
}

/// Some zones are off by half an hour, so hours are cut in local time.
fn truncated(zone: Tz, now: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    let offset = i64::from(zone.offset_from_utc_datetime(&now.naive_utc()).fix().local_minus_utc());
    let into_window = (now.timestamp() + offset).rem_euclid(seconds);
    let whole = now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
    whole - TimeDelta::seconds(into_window)
}

/// The first instant of `date`: where clocks skip midnight, the instant they jump.
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
