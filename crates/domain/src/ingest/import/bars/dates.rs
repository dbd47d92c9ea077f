//! Dates as files have them: with a time and a zone, without hyphens, with the month's name, in either order.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, Utc};

use crate::values::date::parse_date;

/// The order of numbers in dates such as `10/02/2025`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// October 2nd, as in the United States.
    MonthFirst,
    /// February 10th.
    DayFirst,
}

/// The two numbers before the year in a date such as `10/02/2025`.
fn slashed(text: &str) -> Option<(u32, u32, i32)> {
    let text = without_time(text);
    let mut parts = text.split(if text.contains('/') { '/' } else { '-' });
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        parts
            .next()
            .filter(|part| lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (first, second, year) = (part(1..=2)?, part(1..=2)?, part(4..=4)?);
    let date = (first.parse().ok()?, second.parse().ok()?, year.parse().ok()?);
    parts.next().is_none().then_some(date)
}

/// The order in which `text` can be read, when it is only one; `None` for dates that say nothing about it.
pub(super) fn order(text: &str) -> Option<DateOrder> {
    match slashed(text)? {
        (13.., _, _) => Some(DateOrder::DayFirst),
        (_, 13.., _) => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

/// The date that `text` is. A time without a zone says nothing about the session.
///
/// # Errors
/// What is wrong, and how to correct it.
pub(super) fn date(text: &str, order: Option<DateOrder>) -> Result<NaiveDate, &'static str> {
    if let Some(date) = zoned(text) {
        return Ok(date);
    }
    let plain = without_time(text);
    if let Some((first, second, year)) = slashed(plain) {
        // Both numbers are the same in either order.
        let order = order.or((first == second).then_some(DateOrder::MonthFirst));
        let order = order.ok_or(
            "can be read in two ways; say which with dates=mdy (month first) or dates=dmy (day first)",
        )?;
        let (month, day) = match order {
            DateOrder::MonthFirst => (first, second),
            DateOrder::DayFirst => (second, first),
        };
        return NaiveDate::from_ymd_opt(year, month, day).ok_or("is no date in the order of the others");
    }
    let formats = ["%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d %b %Y"];
    // chrono takes more or fewer digits than a format says.
    let is_full = plain.len() >= 8 && !plain.starts_with(['+', '-']);
    let written = || formats.iter().find_map(|format| NaiveDate::parse_from_str(plain, format).ok());
    let has_whole_year = |date: &NaiveDate| date.year() >= 1000;
    let date = parse_date(plain)
        .or_else(|| instant(plain))
        .or_else(|| written().filter(|date| is_full && has_whole_year(date)));
    date.ok_or("is not a date; write YYYY-MM-DD")
}

/// The date without a time behind it.
fn without_time(text: &str) -> &str {
    let is_time =
        |rest: &str| rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) && rest.contains(':');
    let cut = text.find(['T', ' ']).filter(|at| text.get(at + 1..).is_some_and(is_time));
    cut.and_then(|at| text.get(..at)).unwrap_or(text)
}

/// The date of a time with a zone: vendors write midnight of their zone or of UTC, and others times of the session.
fn zoned(text: &str) -> Option<NaiveDate> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let is_midnight = time.time() == NaiveTime::MIN;
    Some(if is_midnight { time.date_naive() } else { of_instant(time.to_utc()) })
}

/// The date of seconds, milliseconds, microseconds or nanoseconds since 1970, or of a spreadsheet's days since 1899.
fn instant(text: &str) -> Option<NaiveDate> {
    // Floats have a fraction of zero.
    let is_zero = |places: &str| !places.is_empty() && places.bytes().all(|byte| byte == b'0');
    let text = text.split_once('.').filter(|(_, places)| is_zero(places)).map_or(text, |(whole, _)| whole);
    let number: i64 = text.parse().ok()?;
    let instant = match text.len() {
        5 => {
            let first = NaiveDate::from_ymd_opt(1899, 12, 30)?;
            return first.checked_add_days(Days::new(number.try_into().ok()?));
        }
        9..=10 => DateTime::from_timestamp(number, 0)?,
        12..=13 => DateTime::from_timestamp_millis(number)?,
        15..=16 => DateTime::from_timestamp_micros(number)?,
        18..=19 => DateTime::from_timestamp_nanos(number),
        _ => return None,
    };
    Some(of_instant(instant))
}

/// The date of an instant: at midnight UTC that of a calendar, otherwise that of New York.
fn of_instant(instant: DateTime<Utc>) -> NaiveDate {
    if instant.time() == NaiveTime::MIN {
        return instant.date_naive();
    }
    instant.with_timezone(&chrono_tz::America::New_York).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_vendors_and_spreadsheets_write_them() {
        let expected = NaiveDate::from_ymd_opt(2025, 10, 2);
        for text in [
            "2025-10-02",
            "2025-10-02 00:00:00",
            "2025-10-02 00:00:00-04:00",
            "2025-10-02T00:00:00.000Z",
            "2025-10-02T04:00:00+00:00",
            "2025-10-01 20:00:00-04:00",
            "2025-10-02T20:00:00Z",
            "2025-10-02 16:00:00-04:00",
            "2025-10-02 00:00:00+02:00",
            "45932",
            "1759377600.0",
            "20251002",
            "2025/10/02",
            "02.10.2025",
            "Oct 02, 2025",
            "October 2, 2025",
            "02-Oct-2025",
            "1759377600",
            "1759377600000",
            "1759377600000000000",
            "1759363200000000",
        ] {
            assert_eq!(date(text, None).ok(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_with_slashes_need_an_order() {
        let day = |month, day| NaiveDate::from_ymd_opt(2025, month, day).unwrap();

        assert_eq!(date("10/02/2025", Some(DateOrder::MonthFirst)), Ok(day(10, 2)));
        assert_eq!(date("10/02/2025", Some(DateOrder::DayFirst)), Ok(day(2, 10)));
        assert_eq!(date("02-10-2025 00:00", Some(DateOrder::DayFirst)), Ok(day(10, 2)));
        assert_eq!(date("10/10/2025", None), Ok(day(10, 10)));
        assert!(date("10/02/2025", None).unwrap_err().contains("dates=mdy"));
        assert!(date("10/13/2025", Some(DateOrder::DayFirst)).unwrap_err().contains("order of the others"));

        assert_eq!(order("10/13/2025"), Some(DateOrder::MonthFirst));
        assert_eq!(order("13/10/2025"), Some(DateOrder::DayFirst));
        assert_eq!(order("10/02/2025"), None);
        assert_eq!(order("2025-10-02"), None);
    }

    #[test]
    fn what_is_no_date_is_not_guessed() {
        for text in [
            "",
            "2025-13-01",
            "2025-10-1",
            "yesterday",
            "10/02/25",
            "2025",
            "+2025-10-02",
            "20251301",
            "-1759377600",
        ] {
            assert!(date(text, None).is_err(), "{text}");
        }
    }
}
