//! The calendar against `testdata/nyse_calendar.txt`, and what operators add to it.

use super::*;

const VECTORS: &str = include_str!("../../../testdata/nyse_calendar.txt");

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The words of each line of the vectors that begins with `kind`.
fn lines(kind: &str) -> Vec<Vec<&'static str>> {
    let words = VECTORS.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found: Vec<_> = words.filter(|words| words[0] == kind).map(|words| words[1..].to_vec()).collect();
    assert!(!found.is_empty(), "no line of kind {kind}");
    found
}

#[test]
fn every_year_has_its_sessions_closures_and_short_days() {
    let calendar = Calendar::nyse();
    let mut total = 0;

    for words in lines("year") {
        let (first, last) = (day(&format!("{}-01-01", words[0])), day(&format!("{}-12-31", words[0])));
        let sessions = calendar.sessions(first, last);
        let closed =
            weekdays(first, last).iter().filter(|day| calendar.closure_name(**day).is_some()).count();
        let short = calendar.0.short.range(first..=last).count();
        assert_eq!([sessions.len(), closed, short].map(|n| n.to_string()), words[1..], "year {}", words[0]);
        total += sessions.len();
    }

    assert_eq!(total, 7794);
}

#[test]
fn every_closed_weekday_has_its_name() {
    let calendar = Calendar::nyse();

    let closed = lines("closed");

    assert_eq!(closed.len(), calendar.0.closures.len());
    for words in closed {
        assert_eq!(calendar.closure_name(day(words[0])), Some(words[1..].join(" ").as_str()), "{}", words[0]);
        assert!(!calendar.is_session(day(words[0])), "{}", words[0]);
    }
}

#[test]
fn short_days_close_early() {
    let calendar = Calendar::nyse();

    for words in lines("hours") {
        assert_eq!(calendar.close_at(day(words[0])), Some(at(words[2])), "{}", words[0]);
    }
}

#[test]
fn other_days_close_at_four_in_new_york_in_summer_and_winter() {
    let calendar = Calendar::nyse();

    assert_eq!(calendar.close_at(day("2025-10-31")), Some(at("2025-10-31T20:00:00Z")));
    assert_eq!(calendar.close_at(day("2025-11-03")), Some(at("2025-11-03T21:00:00Z")));
    assert_eq!(calendar.close_at(day("2025-11-27")), None);
}

#[test]
fn neighbours_are_strict_and_step_over_closures() {
    let calendar = Calendar::nyse();

    for words in lines("edge") {
        let date = day(words[0]);
        assert_eq!(calendar.is_session(date), words[1] == "open", "{date}");
        assert_eq!(calendar.previous_session(date), Some(day(words[2])), "{date}");
        assert_eq!(calendar.next_session(date), Some(day(words[3])), "{date}");
    }
}

#[test]
fn ranges_include_both_ends() {
    let calendar = Calendar::nyse();

    for words in lines("range") {
        let sessions = calendar.sessions(day(words[0]), day(words[1]));
        let name = |date: Option<&NaiveDate>| date.map_or("-".to_owned(), ToString::to_string);
        let summary = [sessions.len().to_string(), name(sessions.first()), name(sessions.last())];
        assert_eq!(summary, words[2..5], "{} to {}", words[0], words[1]);
        if words.get(5) != Some(&"*") {
            assert_eq!(sessions.iter().map(ToString::to_string).collect::<Vec<_>>(), words[5..]);
        }
    }
    assert!(calendar.sessions(day("2025-10-31"), day("2025-10-01")).is_empty());
}

#[test]
fn nothing_is_assumed_outside_the_table() {
    let calendar = Calendar::nyse();

    assert!(calendar.covers(day("2000-01-01")) && calendar.covers(day("2030-12-31")));
    for date in [day("1999-12-30"), day("2031-01-02"), NaiveDate::MIN, NaiveDate::MAX] {
        assert!(!calendar.covers(date), "{date}");
        assert!(!calendar.is_session(date), "{date}");
        assert_eq!(calendar.previous_session(date), None, "{date}");
        assert_eq!(calendar.next_session(date), None, "{date}");
    }
    assert_eq!(calendar.previous_session(day("2000-01-03")), None);
    assert_eq!(calendar.next_session(day("2030-12-31")), None);
    assert_eq!(calendar.last_final_session(at("2031-06-01T12:00:00Z")), None);
    assert_eq!(calendar.last_final_session(at("1999-06-01T12:00:00Z")), None);
}

#[test]
fn an_operator_can_close_a_day() {
    let calendar = Calendar::nyse().with_closures([day("2025-10-15"), day("2025-10-18"), day("2025-12-25")]);

    assert!(!calendar.is_session(day("2025-10-15")));
    assert_eq!(calendar.closure_name(day("2025-10-15")), Some("ad hoc closure"));
    assert_eq!(calendar.close_at(day("2025-10-15")), None);
    assert_eq!(calendar.next_session(day("2025-10-14")), Some(day("2025-10-16")));
    assert_eq!(calendar.closure_name(day("2025-10-18")), None, "a Saturday needs no closure");
    assert_eq!(calendar.closure_name(day("2025-12-25")), Some("Christmas"));
    assert!(Calendar::nyse().is_session(day("2025-10-15")), "others keep the day");
}

#[test]
fn a_session_is_final_a_day_after_its_close() {
    let calendar = Calendar::nyse();

    let last_final = |now| calendar.last_final_session(at(now)).map(|date| date.to_string());

    assert_eq!(last_final("2025-10-30T19:59:59Z").as_deref(), Some("2025-10-28"));
    assert_eq!(last_final("2025-10-30T20:00:00Z").as_deref(), Some("2025-10-29"));
    assert_eq!(last_final("2025-11-02T12:00:00Z").as_deref(), Some("2025-10-31"));
    assert_eq!(
        last_final("2025-11-29T18:00:00Z").as_deref(),
        Some("2025-11-28"),
        "a short day is final earlier"
    );
}

#[test]
fn a_session_counts_as_closed_after_the_given_wait() {
    let calendar = Calendar::nyse();
    let closed = |now, hours| calendar.last_closed_session(at(now), Duration::from_hours(hours));

    assert_eq!(closed("2025-10-30T20:00:00Z", 0), Some(day("2025-10-30")));
    assert_eq!(closed("2025-10-30T23:59:59Z", 4), Some(day("2025-10-29")));
    assert_eq!(closed("2025-10-31T00:00:00Z", 4), Some(day("2025-10-30")));
    assert_eq!(calendar.last_closed_session(at("2025-10-30T20:00:00Z"), Duration::MAX), None);
}

#[test]
fn the_exchange_is_still_on_yesterday_when_utc_turns() {
    assert_eq!(exchange_date(at("2025-10-31T03:59:59Z")), day("2025-10-30"));
    assert_eq!(exchange_date(at("2025-10-31T04:00:00Z")), day("2025-10-31"));
    assert_eq!(exchange_date(at("2025-12-31T04:59:59Z")), day("2025-12-30"));
}

#[test]
fn weekdays_include_holidays() {
    let found: Vec<_> =
        weekdays(day("2025-12-24"), day("2025-12-29")).iter().map(ToString::to_string).collect();

    assert_eq!(found, ["2025-12-24", "2025-12-25", "2025-12-26", "2025-12-29"]);
}
