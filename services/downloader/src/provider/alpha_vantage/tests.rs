use std::time::Duration;

use serde_json::Value;

use super::classify::classify;
use super::history::{OutputSize, compact_from};
use super::query::Query;
use super::testing::{body, good, kept, now};
use crate::provider::http::HttpResponse;
use crate::provider::secret::Secret;
use crate::provider::{Certainty, Gate, NoPrices, Outcome, RowFault, Sessions};
use crate::testing::{bars, date, sessions, symbol};

const KEY: &str = "K3Y9SECRET";

fn class_of(name: &str, size: OutputSize, response: &HttpResponse) -> Outcome {
    let (symbol, key) = (symbol(name), Secret::from(KEY.to_owned()));
    let spelled = symbol.as_str();
    classify(response, &Query { symbol: &symbol, spelled, size, sessions: sessions(), now: now(), key: &key })
}

fn with_body(body: &str) -> Outcome {
    class_of(
        "A",
        OutputSize::Compact,
        &HttpResponse { status: 200, retry_after: None, body: body.as_bytes().to_vec() },
    )
}

fn rows(rows: &[[&str; 6]]) -> Outcome {
    with_body(&body("A", "Compact", rows))
}

fn faults(outcome: Outcome) -> Vec<(String, RowFault)> {
    bars(outcome).rejected.into_iter().map(|row| (row.date, row.fault)).collect()
}

#[track_caller]
fn malformed(outcome: Outcome, because: &str) {
    match outcome {
        Outcome::Malformed { reason } => assert!(reason.contains(because), "{reason}"),
        other => panic!("not malformed: {other:?}"),
    }
}

/// The class and reaction that `testdata/alpha_vantage.json` names.
fn named(outcome: &Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Bars(response) if response.rejected.is_empty() => ("ok", "none"),
        Outcome::Bars(_) => ("ok_with_rejected_rows", "none"),
        Outcome::Throttled { retry_after } if *retry_after == Duration::from_secs(1) => {
            ("throttled", "after_1s_plus_jitter")
        }
        Outcome::Throttled { .. } => ("throttled", "after_60s"),
        Outcome::QuotaExhausted { until: None } => ("quota_exhausted", "next_quota_window"),
        Outcome::QuotaExhausted { .. } => ("quota_exhausted", "at a time"),
        Outcome::PlanGated(Gate::Parameter) => ("plan_gated_parameter", "never_same_request"),
        Outcome::PlanGated(Gate::Endpoint) => ("plan_gated_endpoint", "never"),
        Outcome::BadCredentials { .. } => ("bad_credentials", "never"),
        Outcome::NoPrices(NoPrices::Unknown(_)) => ("symbol_not_found", "never"),
        Outcome::BugInRequest { .. } => ("bug_in_request", "never"),
        Outcome::NoPrices(NoPrices::NotInPlan) => ("plan_gated_symbol", "never"),
        Outcome::NoPrices(NoPrices::Empty(_)) => ("empty", "bounded_then_next_provider"),
        Outcome::Malformed { .. } => ("malformed", "bounded_backoff"),
        Outcome::Unreachable { .. } => ("server_error", "bounded_backoff"),
    }
}

#[test]
fn every_known_body_gets_its_class_and_reaction() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../testdata/alpha_vantage.json")).unwrap();
    assert_eq!(cases.len(), 25);
    for case in cases {
        let body = case["body"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
        let status = case["status"].as_u64().unwrap().try_into().unwrap();
        let of = if body.contains("NVDA") { "NVDA" } else { "AAPL" };
        let response = HttpResponse { status, retry_after: None, body: body.as_bytes().to_vec() };

        let outcome = class_of(of, OutputSize::Full, &response);

        let expected = (case["class"].as_str().unwrap(), case["retry"].as_str().unwrap());
        assert_eq!(named(&outcome), expected, "{}: {outcome:?}", case["name"]);
        assert!(!format!("{outcome:?}").contains(KEY), "{outcome:?}");
    }
}

#[test]
fn a_real_response_is_read_whole_and_exactly() {
    let sample = include_bytes!("../../../testdata/daily_prices_ASML.json");
    let response = HttpResponse { status: 200, retry_after: None, body: sample.to_vec() };

    let response = bars(class_of("ASML", OutputSize::Compact, &response));

    assert_eq!((response.bars.len(), response.rejected.len(), response.not_storable), (100, 0, 0));
    let (_, oldest, bar) = &response.bars[0];
    assert_eq!(
        (*oldest, bar.open().to_string(), bar.volume()),
        (date("2025-06-10"), "779.11".into(), 1_715_548)
    );
    let span = &response.spans[0];
    assert_eq!((span.from, span.to, span.requested_at), (date("2025-06-10"), date("2025-10-29"), now()));
}

#[test]
fn a_full_response_covers_all_from_the_beginning_unless_it_says_that_it_is_compact() {
    let from = |echo: &str| {
        let body = body("A", echo, &[good("2025-10-28")]);
        let response = HttpResponse { status: 200, retry_after: None, body: body.as_bytes().to_vec() };
        bars(class_of("A", OutputSize::Full, &response)).spans[0].from
    };

    assert_eq!(from("Full size"), domain::ingest::coverage::BEGINNING);
    assert_eq!(from("Compact"), date("2025-10-28"));
    assert_eq!(from(""), date("2025-10-28"));
}

#[test]
fn a_bar_of_a_session_that_has_hardly_closed_is_left_out_without_a_warning() {
    let response = bars(rows(&[good("2025-10-31"), good("2025-10-30"), good("2025-10-29")]));

    assert_eq!(kept(&response), ["2025-10-29", "2025-10-30"]);
    assert_eq!((response.not_storable, response.rejected.len()), (1, 0));
    assert_eq!(response.spans[0].to, date("2025-10-29"), "the 30th is stored, but is not final");
}

#[test]
fn bad_rows_are_left_out_and_good_ones_kept() {
    let response = rows(&[
        ["2025-10-29", "0.0000", "12", "9", "11", "1"],
        ["2025-10-28", "10", "12", "9", "-11", "1"],
        ["2025-10-27", "10", "10.5", "9", "11", "1"],
        ["2025-10-24", "10", "12", "10.5", "11", "1"],
        ["2025-10-23", "10", "12", "9", "11", "1.5"],
        ["2025-10-25", "10", "12", "9", "11", "1"],
        ["2025-11-03", "10", "12", "9", "11", "1"],
        ["2025-10-1", "10", "12", "9", "11", "1"],
        ["2025-10-22", "10", "NaN", "9", "11", "1"],
        good("2025-10-21"),
    ]);

    assert_eq!(kept(&bars(response.clone())), ["2025-10-21"]);
    let faults = faults(response);
    let on = |date: &str| faults.iter().find(|(on, _)| on == date).map(|(_, fault)| *fault);
    assert_eq!(on("2025-10-29"), Some(RowFault::NotAPrice("open")));
    assert_eq!(on("2025-10-28"), Some(RowFault::NotAPrice("close")));
    assert_eq!(on("2025-10-27"), Some(RowFault::OutOfOrder));
    assert_eq!(on("2025-10-24"), Some(RowFault::OutOfOrder));
    assert_eq!(on("2025-10-23"), Some(RowFault::NotAVolume));
    assert_eq!(on("2025-10-25"), Some(RowFault::NotASession));
    assert_eq!(on("2025-11-03"), Some(RowFault::InTheFuture));
    assert_eq!(on("2025-10-1"), Some(RowFault::NotADate));
    assert_eq!(on("2025-10-22"), Some(RowFault::NotAPrice("high")));
}

#[test]
fn a_row_without_a_field_or_with_a_number_is_left_out() {
    let body = body("A", "Compact", &[good("2025-10-29"), good("2025-10-28"), good("2025-10-27")]);
    let body = body.replacen(r#""1. open": "10.0000", "#, "", 1).replacen(r#""1000""#, "1000", 1);

    assert_eq!(faults(with_body(&body)), [("2025-10-29".to_owned(), RowFault::MissingField("open"))]);
}

#[test]
fn a_repeated_date_is_kept_only_when_its_rows_are_equal() {
    let other = ["2025-10-28", "10", "12", "9", "9.5", "1"];
    let response = rows(&[
        good("2025-10-29"),
        good("2025-10-29"),
        good("2025-10-28"),
        other,
        good("2025-10-27"),
        good("2025-10-24"),
        good("2025-10-23"),
    ]);

    assert_eq!(kept(&bars(response.clone())), ["2025-10-23", "2025-10-24", "2025-10-27", "2025-10-29"]);
    assert_eq!(faults(response).iter().filter(|(_, fault)| *fault == RowFault::Duplicate).count(), 3);
}

#[test]
fn a_response_that_is_mostly_bad_proves_no_absence() {
    let bad = |date| [date, "0", "0", "0", "0", "0"];

    let half = bars(rows(&[good("2025-10-29"), bad("2025-10-28")]));
    let most = bars(rows(&[good("2025-10-29"), bad("2025-10-28"), bad("2025-10-27")]));

    assert_eq!((half.spans.len(), most.spans.len()), (1, 0));
    assert_eq!(kept(&most), ["2025-10-29"]);
}

#[test]
fn rows_before_the_first_date_that_is_kept_are_no_cause_for_a_warning() {
    let response = bars(rows(&[good("2000-01-03"), good("1999-12-31"), good("1999-11-01")]));

    assert_eq!((kept(&response), response.rejected.len()), (vec!["2000-01-03".to_owned()], 0));
}

#[test]
fn a_body_about_another_symbol_is_rejected_whole() {
    malformed(with_body(&body("B", "Compact", &[good("2025-10-29")])), "another symbol");
    malformed(with_body(r#"{"Time Series (Daily)": {}}"#), "does not say which symbol");
}

#[test]
fn a_body_of_another_shape_is_rejected_whole() {
    let whole = body("A", "Compact", &[good("2025-10-29"), good("2025-10-28")]);

    malformed(with_body(&whole[..whole.len() - 40]), "cut");
    malformed(with_body(&format!("{whole}{whole}")), "not JSON");
    malformed(with_body(&whole.replace("Series (Daily)", "Series (60min)")), "without daily prices");
    malformed(with_body(&whole.replace(r#"{"1. open""#, r#"[{"1. open""#)), "shape");
    malformed(with_body(r#"[]"#), "shape");
    malformed(with_body(r#"{"Meta Data": {}, "Meta Data": {}}"#), "shape");
    malformed(with_body("timestamp,open,high,low,close,volume\r\n2025-10-29,10,12,9"), "cut");
    malformed(with_body(""), "cut");
}

#[test]
fn an_unknown_notice_is_kept_without_the_key() {
    let outcome = with_body(r#"{"Information": "We moved, dear K3Y9SECRET."}"#);

    malformed(outcome, "We moved, dear [redacted]");
}

#[test]
fn a_series_without_rows_is_empty() {
    let empty = Outcome::NoPrices(NoPrices::Empty(Certainty::Doubtful));

    assert_eq!(with_body(&body("A", "Compact", &[])), empty);
}

#[test]
fn status_429_waits_as_long_as_the_header_says() {
    let wait = |retry_after: Option<&str>, body: &str| {
        let response = HttpResponse {
            status: 429,
            retry_after: retry_after.map(str::to_owned),
            body: body.as_bytes().to_vec(),
        };
        class_of("A", OutputSize::Compact, &response)
    };
    let seconds = |seconds| Outcome::Throttled { retry_after: Duration::from_secs(seconds) };

    assert_eq!(wait(Some("7"), "slow down"), seconds(7));
    assert_eq!(wait(Some("Fri, 31 Oct 2025 16:00:30 GMT"), ""), seconds(30));
    assert_eq!(wait(Some("Fri, 31 Oct 2025 15:00:00 GMT"), ""), seconds(0));
    assert_eq!(wait(None, ""), seconds(60));
    assert_eq!(wait(Some("soon"), ""), seconds(60));
    let quota = wait(Some("60"), r#"{"Information": "limit is 25 requests per day"}"#);
    assert_eq!(quota, Outcome::QuotaExhausted { until: Some("2025-10-31T16:01:00Z".parse().unwrap()) });
}

#[test]
fn other_statuses_say_whose_fault_it_is() {
    let class = |status| {
        class_of(
            "A",
            OutputSize::Compact,
            &HttpResponse { status, retry_after: None, body: b"<html>".to_vec() },
        )
        .class()
    };

    assert_eq!([class(301), class(404), class(401)], ["bug_in_request", "bug_in_request", "bad_credentials"]);
    assert_eq!([class(403), class(502)], ["unreachable", "unreachable"]);
}

#[test]
fn a_compact_response_reaches_back_a_hundred_sessions() {
    assert_eq!(compact_from(&sessions()), date("2025-06-16"));

    let closed = Sessions { is_session: &|_| false, ..sessions() };
    assert_eq!(compact_from(&closed), closed.today);
}
