use chrono::{DateTime, Utc};
use domain::ingest::coverage::BEGINNING;
use domain::market::corporate_action::Action;
use serde_json::Value;

use super::classify::{Query, classify};
use crate::provider::http::HttpResponse;
use crate::provider::secret::Secret;
use crate::provider::{NoPrices, Outcome};
use crate::testing::{bars, date, sessions, symbol};

const KEY: &str = "K3Y9SECRET";

fn now() -> DateTime<Utc> {
    "2025-10-31T16:20:00Z".parse().unwrap()
}

fn class_of(status: u16, body: &str) -> Outcome {
    let (symbol, key) = (symbol("AAPL"), Secret::from(KEY.to_owned()));
    let query = Query { symbol: &symbol, from: BEGINNING, sessions: sessions(), now: now() };
    let response = HttpResponse { status, retry_after: None, body: body.as_bytes().to_vec() };
    classify(&response, &query, &key)
}

/// The class and reaction that `testdata/tiingo.json` names.
fn named(outcome: &Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Bars(_) => ("ok", "none"),
        Outcome::QuotaExhausted { until: Some(until) }
            if *until == "2025-10-31T17:00:00Z".parse::<DateTime<Utc>>().unwrap() =>
        {
            ("quota_exhausted", "next_hour")
        }
        Outcome::NoPrices(NoPrices::Unknown(_)) => ("symbol_not_found", "never"),
        Outcome::NoPrices(NoPrices::Empty(_)) => ("empty", "none"),
        _ => ("another", "another"),
    }
}

#[test]
fn every_known_body_gets_its_class_and_reaction() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../testdata/tiingo.json")).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let status = case["status"].as_u64().unwrap().try_into().unwrap();

        let outcome = class_of(status, &case["body"].to_string());

        let expected = (case["class"].as_str().unwrap(), case["retry"].as_str().unwrap());
        assert_eq!(named(&outcome), expected, "{}: {outcome:?}", case["name"]);
    }
}

#[test]
fn numbers_are_read_digit_by_digit_and_raw_prices_are_taken() {
    let row = r#"{"date":"2025-10-29T00:00:00.000Z","open":256.57512345678,"high":258.18,"low":254.15,"close":257.10,
        "volume":42630239.0,"adjClose":1,"adjHigh":1,"adjLow":1,"adjOpen":1,"adjVolume":1,"divCash":0.0,"splitFactor":1.0}"#;

    let response = bars(class_of(200, &format!("[{row}]")));

    let (_, day, bar) = &response.bars[0];
    assert_eq!(
        (*day, bar.open().to_string(), bar.close().to_string()),
        (date("2025-10-29"), "256.5751234568".into(), "257.1".into())
    );
    assert_eq!(bar.volume(), 42_630_239);
    let span = &response.spans[0];
    assert_eq!(
        (span.from, span.to),
        (BEGINNING, date("2025-10-29")),
        "what is not there is known to be absent"
    );
}

#[test]
fn splits_and_dividends_come_with_the_bars() {
    let row = |day: &str, cash: &str, factor: &str| {
        format!(
            r#"{{"date":"{day}T00:00:00.000Z","open":10,"high":12,"low":9,"close":11,"volume":1,"divCash":{cash},"splitFactor":{factor}}}"#
        )
    };
    let rows = [
        row("2025-10-28", "0.0", "1.0"),
        row("2025-10-29", "0.2600", "10.0"),
        row("2025-10-31", "1.0", "2.0"),
    ];

    let response = bars(class_of(200, &format!("[{}]", rows.join(","))));

    let [(_, split_on, split), (_, paid_on, dividend)] = &response.actions[..] else {
        panic!("{response:?}")
    };
    assert_eq!(
        (*split_on, *paid_on),
        (date("2025-10-29"), date("2025-10-29")),
        "the session of the 31st is not over"
    );
    assert!(matches!(split, Action::Split(ratio) if ratio.to().get() == 10), "{split:?}");
    assert!(
        matches!(dividend, Action::Dividend { per_share } if per_share.to_string() == "0.26"),
        "{dividend:?}"
    );
}

#[test]
fn refusals_say_whose_fault_they_are_and_hold_no_key() {
    let detail = |text: &str| format!(r#"{{"detail": "{text}"}}"#);
    let class = |status, text: &str| {
        let outcome = class_of(status, &detail(text));
        assert!(!format!("{outcome:?}").contains(KEY), "{outcome:?}");
        outcome.class()
    };

    assert_eq!(class(401, "Invalid token K3Y9SECRET."), "bad_credentials");
    assert_eq!(class(403, "Please supply a token"), "bad_credentials");
    assert_eq!(class(403, "You do not have access to this ticker"), "plan_gated");
    assert_eq!(class(200, "Error: You have run over your hourly request allocation."), "quota_exhausted");
    assert_eq!(class(429, "Error: You have run over your daily request allocation."), "quota_exhausted");
    assert_eq!(class(502, "K3Y9SECRET"), "unreachable");
    assert_eq!(class(400, "K3Y9SECRET"), "bug_in_request");
    assert_eq!(class(200, "something else"), "malformed");
    assert_eq!(class_of(200, "[{\"date\":").class(), "malformed");
    assert_eq!(class_of(302, "").class(), "bug_in_request");
}
