//! Dates of publication as search engines write them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

const DATES: [&str; 9] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%B %d, %Y",
    "%B. %d, %Y",
    "%B %d %Y",
    "%d %B %Y",
    "%d %B, %Y",
    "%a, %d %B %Y",
];
const INSTANTS_WITHOUT_ZONE: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%B %d, %Y %I:%M %p",
    "%B %d, %Y, %I:%M %p",
];
const INSTANTS: [&str; 3] = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M%z"];
/// There are no earlier pages; engines write such a date when they know none.
const FIRST_YEAR: i32 = 1991;

/// The latest day that `text` can mean; `None` when it is no date, or an ambiguous one.
pub(super) fn parse(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let with_zone = DateTime::parse_from_rfc3339(text)
        .ok()
        .or_else(|| DateTime::parse_from_rfc2822(text).ok())
        .or_else(|| INSTANTS.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()));
    let date = match with_zone {
        // The local day and the day in UTC may differ; the later one counts.
        Some(instant) => instant.date_naive().max(instant.with_timezone(&Utc).date_naive()),
        None => without_zone(text)?,
    };
    (date.year() >= FIRST_YEAR).then_some(date)
}

/// Without a zone a late hour may be the next day in UTC.
fn without_zone(text: &str) -> Option<NaiveDate> {
    let plain = DATES.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok());
    plain.or_else(|| {
        let instant =
            INSTANTS_WITHOUT_ZONE.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        instant?.date().succ_opt()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(parse(text).map(|date| date.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn common_forms_are_read() {
        check("2025-10-01", Some("2025-10-01"));
        check(" 2025/10/01 ", Some("2025-10-01"));
        check("Oct 1, 2025", Some("2025-10-01"));
        check("October 1, 2025", Some("2025-10-01"));
        check("1 October 2025", Some("2025-10-01"));
        check("Wed, 01 Oct 2025 13:00:00 GMT", Some("2025-10-01"));
        check("2025-10-01T13:00:00Z", Some("2025-10-01"));
        check("2025-10-01T13:00:00.123+0000", Some("2025-10-01"));
    }

    #[test]
    fn an_instant_counts_for_the_later_of_its_days() {
        check("2025-10-01T23:30:00-05:00", Some("2025-10-02"));
        check("2025-10-02T01:00:00+09:00", Some("2025-10-02"));
        check("2025-10-01 13:00:00", Some("2025-10-02"));
    }

    #[test]
    fn what_can_mean_several_days_is_no_date() {
        let texts = [
            "",
            "yesterday",
            "2 days ago",
            "10/01/2025",
            "01.10.2025",
            "2025",
            "Oct 2025",
            "1970-01-01",
            "0001-01-01",
            "2025-13-01",
        ];
        for text in texts {
            check(text, None);
        }
    }
}
