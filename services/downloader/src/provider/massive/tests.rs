use chrono::{DateTime, Utc};
use serde_json::Value;

use super::classify::{Query, Requested, classify};
use crate::provider::http::HttpResponse;
use crate::provider::secret::Secret;
use crate::provider::{Gate, NoPrices, Outcome};
use crate::testing::{bars, date, sessions, symbol};

const KEY: &str = "K3Y9SECRET";

fn now() -> DateTime<Utc> {
    "2025-10-31T16:20:00Z".parse().unwrap()
}

fn class_of(requested: Requested<'_>, status: u16, body: &str) -> Outcome {
    let key = Secret::from(KEY.to_owned());
    let response = HttpResponse { status, retry_after: None, body: body.as_bytes().to_vec() };
    classify(&response, &Query { requested, sessions: sessions(), now: now(), key: &key })
}

fn of_date(day: &str, symbols: &[&str], body: &str) -> Outcome {
    let symbols = symbols.iter().map(|name| symbol(name)).collect();
    class_of(Requested::Date { date: date(day), symbols: &symbols }, 200, body)
}

fn of_symbol(status: u16, body: &str) -> Outcome {
    let symbol = symbol("AAPL");
    class_of(Requested::Symbol { symbol: &symbol, ticker: "AAPL", from: date("2025-10-01") }, status, body)
}

/// The class and reaction that `testdata/massive.json` names.
fn named(outcome: &Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Bars(_) => ("ok", "none"),
        Outcome::NoPrices(NoPrices::Empty(_)) => ("empty", "none"),
        Outcome::PlanGated(Gate::Parameter) => ("plan_gated_parameter", "never"),
        Outcome::BadCredentials { .. } => ("bad_credentials", "never"),
        _ => ("another", "another"),
    }
}

#[test]
fn every_known_body_gets_its_class_and_reaction() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../testdata/massive.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let (name, body) = (case["name"].as_str().unwrap(), case["body"].to_string());
        let status = case["status"].as_u64().unwrap().try_into().unwrap();

        let outcome = match name {
            "massive_grouped_ok" => of_date("2025-10-02", &["AAPL", "MSFT"], &body),
            _ => of_symbol(status, &body),
        };

        let expected = (case["class"].as_str().unwrap(), case["retry"].as_str().unwrap());
        assert_eq!(named(&outcome), expected, "{name}: {outcome:?}");
    }
}

/// The close of 2025-10-28 in New York, in milliseconds.
const CLOSE: u64 = 1_761_681_600_000;

fn row(ticker: &str) -> String {
    format!(
        r#"{{"T":"{ticker}","v":4.2630239e+07,"vw":1,"o":256.575,"c":257.10,"h":258.18,"l":254.15,"t":{CLOSE},"n":5}}"#
    )
}

#[test]
fn of_a_whole_date_the_requested_symbols_are_taken_and_the_others_known_to_be_absent() {
    let body = format!(
        r#"{{"status":"OK","adjusted":false,"results":[{},{},{}]}}"#,
        row("AAPL"),
        row("BRK.B"),
        row("ZZZ")
    );

    let response = bars(of_date("2025-10-28", &["AAPL", "BRK-B", "GONE"], &body));

    let names: Vec<String> = response.bars.iter().map(|(symbol, _, _)| symbol.to_string()).collect();
    assert_eq!(names, ["AAPL", "BRK.B"]);
    assert_eq!(
        (response.bars[0].2.close().to_string(), response.bars[0].2.volume()),
        ("257.1".into(), 42_630_239)
    );
    let spans: Vec<_> =
        response.spans.iter().map(|span| (span.symbol.to_string(), span.from, span.to)).collect();
    assert_eq!(spans, [("GONE".to_owned(), date("2025-10-28"), date("2025-10-28"))]);
}

#[test]
fn a_body_about_another_date_or_symbol_is_rejected_whole() {
    let body = format!(r#"{{"status":"OK","results":[{}]}}"#, row("AAPL"));
    let other = format!(r#"{{"ticker":"MSFT","status":"OK","results":[{}]}}"#, row("MSFT"));

    assert_eq!(of_date("2025-10-27", &["AAPL"], &body).class(), "malformed");
    assert_eq!(of_symbol(200, &other).class(), "malformed");
    assert_eq!(of_symbol(200, "{\"results\": 5}").class(), "malformed");
}

#[test]
fn refusals_say_whose_fault_they_are_and_hold_no_key() {
    let class = |status, text: &str| {
        let outcome = of_symbol(status, &format!(r#"{{"status":"ERROR","error":"{text} K3Y9SECRET"}}"#));
        assert!(!format!("{outcome:?}").contains(KEY), "{outcome:?}");
        outcome.class()
    };

    assert_eq!(class(429, "You've exceeded the maximum requests per minute"), "throttled");
    assert_eq!(class(200, "You've exceeded the maximum requests per minute"), "throttled");
    assert_eq!(class(401, "Unknown API Key"), "bad_credentials");
    assert_eq!(class(403, "You are not entitled to this data"), "plan_gated");
    assert_eq!(class(404, "not found"), "unknown_symbol");
    assert_eq!(class(200, "something else"), "malformed");
    assert_eq!(class(500, ""), "unreachable");
    assert_eq!(class(400, ""), "bug_in_request");
}
