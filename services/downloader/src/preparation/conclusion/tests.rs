//! What becomes of dates, and with which warnings.

use super::*;
use crate::download::source::SourceLabel;
use crate::testing::{date, dates, job, symbol};

const BOTH: [&str; 2] = ["2025-10-01", "2025-10-02"];

fn needed(sessions: &[&str]) -> NeededDates {
    NeededDates { sessions: dates(sessions), closed: Vec::new() }
}

fn lacking() -> Verdict {
    Verdict::Incomplete { missing: vec![symbol("C")] }
}

fn verdicts(verdicts: &[(&str, Verdict)]) -> BTreeMap<NaiveDate, Verdict> {
    verdicts.iter().map(|(day, verdict)| (date(day), verdict.clone())).collect()
}

fn none_complete() -> BTreeMap<NaiveDate, Verdict> {
    verdicts(&[(BOTH[0], lacking()), (BOTH[1], lacking())])
}

fn label() -> SourceLabel {
    let key_variable = "ALPHAVANTAGE_API_KEY".to_owned();
    SourceLabel { title: "Alpha Vantage", key_variable, address_setting: "ALPHAVANTAGE_BASE_URL" }
}

fn rate_limited(succeeded: usize, total: usize) -> Report {
    let until = "2025-10-31T04:00:00Z".parse().unwrap();
    Report {
        succeeded,
        total,
        stops: vec![StopReason::RateLimited { label: label(), until }],
        ..Report::default()
    }
}

fn ready(conclusion: Conclusion) -> DataReady {
    match conclusion {
        Conclusion::Ready(event) => event,
        other => panic!("not ready: {other:?}"),
    }
}

fn failed(conclusion: Conclusion) -> DataFailed {
    match conclusion {
        Conclusion::Failed(event) => event,
        other => panic!("not failed: {other:?}"),
    }
}

fn messages(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.message.as_str()).collect()
}

#[test]
fn complete_dates_run_and_the_others_are_skipped_with_both_warnings() {
    let verdicts = verdicts(&[(BOTH[0], lacking()), (BOTH[1], Verdict::Available)]);

    let ready = ready(conclude(job(BOTH[0], BOTH[1]), &needed(&BOTH), &verdicts, &rate_limited(12, 15)));

    assert_eq!(ready.runnable, [date(BOTH[1])]);
    assert_eq!(ready.skipped, [SkippedDate { date: date(BOTH[0]), reason: SkipReason::IncompletePriceData }]);
    assert_eq!(
        messages(&ready.warnings),
        [
            "Rate limit reached - downloaded 12/15 symbols",
            "Skipped 1 dates due to incomplete price data: ['2025-10-01']"
        ]
    );
}

#[test]
fn a_rate_limit_and_failed_symbols_are_both_warned_of() {
    let failed = [(symbol("C"), "the symbol is unknown".to_owned())].into();
    let report = Report { failed, ..rate_limited(1, 3) };

    let warnings =
        conclude(job(BOTH[0], BOTH[1]), &needed(&BOTH), &none_complete(), &report).warnings().to_vec();

    let codes: Vec<_> = warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["RATE_LIMITED", "SYMBOLS_FAILED", "PROVIDER_REFUSED", "DATES_SKIPPED"]);
    assert_eq!(warnings[2].message, "There are no prices - C: the symbol is unknown");
}

#[test]
fn nothing_to_run_is_not_an_error() {
    let ready = ready(conclude(job(BOTH[0], BOTH[1]), &needed(&[]), &BTreeMap::new(), &Report::default()));

    assert_eq!((ready.runnable.len(), ready.skipped.len(), ready.warnings.len()), (0, 0, 0));
}

#[test]
fn a_job_none_of_whose_dates_can_run_fails_and_keeps_its_warnings() {
    let failed =
        failed(conclude(job(BOTH[0], BOTH[1]), &needed(&BOTH), &none_complete(), &rate_limited(2, 3)));

    assert_eq!(failed.error, "No trading dates available after price data preparation");
    assert_eq!(failed.warnings.len(), 2);
}

#[test]
fn a_bad_key_is_named_with_the_setting() {
    let report =
        Report { stops: vec![StopReason::BadCredentials { label: label() }], total: 3, ..Report::default() };

    let failed = failed(conclude(job(BOTH[0], BOTH[1]), &needed(&BOTH), &none_complete(), &report));

    let text = "Alpha Vantage says the API key is invalid; set ALPHAVANTAGE_API_KEY to a valid key";
    assert_eq!(failed.error, text);
    assert_eq!(failed.warnings[0].message, text);
}

#[test]
fn a_key_that_does_not_reach_back_fails_the_job_with_the_way_out() {
    let report = Report { reach: vec![(label(), Some(date("2026-01-05")))], ..rate_limited(0, 3) };

    let failed = failed(conclude(job(BOTH[0], BOTH[1]), &needed(&BOTH), &none_complete(), &report));

    assert!(
        failed.error.contains("no prices before 2026-01-05; set ALPHAVANTAGE_API_KEY"),
        "{}",
        failed.error
    );
}

#[test]
fn a_job_that_waits_for_data_waits_only_when_no_date_can_run() {
    let mut job = job(BOTH[0], BOTH[1]);
    job.options.wait_for_data = true;
    let some_complete = verdicts(&[(BOTH[0], lacking()), (BOTH[1], Verdict::Available)]);

    let waits = |verdicts: &BTreeMap<NaiveDate, Verdict>, report: &Report| {
        conclude(job.clone(), &needed(&BOTH), verdicts, report).until()
    };

    assert_eq!(waits(&none_complete(), &rate_limited(1, 3)), Some("2025-10-31T04:00:00Z".parse().unwrap()));
    assert_eq!(waits(&some_complete, &rate_limited(1, 3)), None);
    assert_eq!(waits(&none_complete(), &Report::default()), None);
}

#[test]
fn closed_days_are_skipped_with_their_names() {
    let closed = vec![(date("2025-11-27"), "Thanksgiving".to_owned())];

    let needed = NeededDates { sessions: dates(&[]), closed };
    let ready =
        ready(conclude(job("2025-11-27", "2025-11-27"), &needed, &BTreeMap::new(), &Report::default()));

    assert_eq!(ready.skipped, [SkippedDate { date: date("2025-11-27"), reason: SkipReason::MarketClosed }]);
    assert_eq!(messages(&ready.warnings), ["Market closed on 2025-11-27 (Thanksgiving)"]);
}

#[test]
fn odd_rows_and_revised_prices_are_warned_of_with_examples() {
    let row = |day: usize| format!("2025-10-{day:02}: not a date");
    let odd = Finding { symbol: symbol("A"), revised: vec![], rejected: (1..=7).map(row).collect() };
    let revised = Finding { symbol: symbol("B"), revised: vec![date("2025-10-01")], rejected: vec![] };
    let report = Report { findings: vec![odd, revised], ..Report::default() };

    let warnings =
        conclude(job(BOTH[0], BOTH[1]), &needed(&[]), &BTreeMap::new(), &report).warnings().to_vec();

    assert_eq!(warnings.iter().map(|warning| warning.count).collect::<Vec<_>>(), [1, 7]);
    assert_eq!(warnings[0].symbols, [symbol("B")]);
    assert!(warnings[1].message.ends_with("A 2025-10-05: not a date; and 2 more"), "{}", warnings[1].message);
}
