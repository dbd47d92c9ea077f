//! Invalid messages are refused with the name of the field.

use contract::{ContractError, decode_event, decode_job_cancel, decode_lane_continue, kind};
use serde_json::{Value, json};

use crate::fixture::Fixture;

/// The error of the fixture's body after a change at `pointer`.
fn refusal(kind: &str, pointer: &str, value: Value) -> String {
    let mut body = Fixture::of(kind).body;
    *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{kind} has no {pointer}")) = value;
    decode_event(kind, body.to_string().as_bytes()).expect_err(pointer).to_string()
}

fn check(kind: &str, pointer: &str, value: Value, expected: &str) {
    assert_eq!(refusal(kind, pointer, value.clone()), expected, "{pointer} = {value}");
}

#[test]
fn garbage_is_no_message() {
    for body in ["", "{", "\u{0}\u{1}", "[]", "7", "null", "{} {}", "\"text\""] {
        let problem = decode_event(kind::JOB_STARTED, body.as_bytes()).expect_err(body);
        assert!(matches!(problem, ContractError::NotProtoJson { .. }), "{body:?}: {problem}");
    }
    assert!(decode_event(kind::JOB_STARTED, &[0xff, 0xfe, 0x00]).is_err());
}

#[test]
fn a_bottomless_body_is_refused() {
    let body = format!("{{\"x\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));

    assert!(decode_event(kind::JOB_STARTED, body.as_bytes()).is_err());
}

#[test]
fn a_type_of_another_version_is_unknown() {
    let problem = decode_event("modelday.job.requested.v2", b"{}").unwrap_err();

    assert_eq!(problem.to_string(), r#"unknown message type "modelday.job.requested.v2""#);
}

#[test]
fn a_value_of_a_wrong_type_is_named_with_its_path() {
    let problem = refusal(kind::JOB_REQUESTED, "/job/models/1/signature", json!(5));
    assert!(
        problem.starts_with("modelday.job.requested.v1 does not parse at job.models[1].signature: "),
        "{problem}"
    );

    let problem = refusal(kind::MODEL_DAY_COMPLETED, "/trades/0/quantity", json!("two"));
    assert!(problem.contains(" at trades[0].quantity: "), "{problem}");

    let problem = refusal(kind::JOB_STARTED, "/lanes", json!(-1));
    assert!(problem.contains(" at lanes: "), "{problem}");
}

#[test]
fn what_every_message_has_must_not_be_missing() {
    let missing = |kind| decode_event(kind, b"{}").unwrap_err().to_string();

    assert_eq!(missing(kind::JOB_REQUESTED), "job: is missing");
    assert_eq!(missing(kind::DATA_READY), "job: is missing");
    assert_eq!(missing(kind::MODEL_DAY_STARTED), "key: is missing");
    assert_eq!(missing(kind::JOB_COMPLETED), "outcome: is missing");
    for kind in kind::EVENTS {
        assert!(decode_event(kind, b"{}").is_err(), "{kind}");
    }
    assert!(decode_lane_continue(b"{}").unwrap_err().to_string().starts_with("lane_id: "));
    assert!(decode_job_cancel(b"{}").unwrap_err().to_string().starts_with("job_id: "));
}

#[test]
fn a_date_exists_and_is_written_in_one_way() {
    let check = |text: &str, reason: &str| {
        check(
            kind::DATA_READY,
            "/runnable_dates/1",
            json!(text),
            &format!("runnable_dates: {text:?}{reason}"),
        );
    };

    check("2025-02-30", ": input is out of range");
    check("2025-10-6", " is not YYYY-MM-DD");
    check("+12025-10-06", " is not YYYY-MM-DD");
    check("tomorrow", ": input contains invalid characters");
}

#[test]
fn a_decimal_is_plain_digits() {
    for text in ["1e3", "", "1_000", "+1", ".5", "5.", "0x10", "NaN", "inf", "1,5", " 1", "--1"] {
        let expected = format!("value_at_open: {text:?} is not a plain decimal number");
        check(kind::MODEL_DAY_COMPLETED, "/value_at_open", json!(text), &expected);
    }
    let long =
        refusal(kind::MODEL_DAY_COMPLETED, "/value_at_open", json!("0.12345678901234567890123456789012"));
    assert!(long.starts_with("value_at_open: "), "{long}");
}

#[test]
fn cash_prices_and_shares_keep_their_bounds() {
    let check = |pointer, value, expected| check(kind::MODEL_DAY_COMPLETED, pointer, value, expected);

    check("/trades/0/quantity", json!("-1"), "trades.quantity: -1 is below 1");
    check("/trades/0/quantity", json!("0"), "trades.quantity: 0 is below 1");
    check("/trades/0/price", json!("0"), "trades.price: 0 is not above zero");
    check("/trades/0/fee", json!("-0.01"), "trades.fee: -0.01 is below zero");
    check("/trades/0/cash_after", json!("-1"), "trades.cash_after: -1 is below zero");
    check("/ending_position/cash", json!("-0.5"), "position: cash -0.5 is below zero");
    check("/ending_position/holdings/0/quantity", json!("-3"), "position.holdings.quantity: -3 is below 1");
    check(
        "/ending_position/holdings/1/symbol",
        json!("AAPL"),
        "position.holdings.symbol: AAPL is listed twice",
    );
    let symbol = refusal(kind::MODEL_DAY_COMPLETED, "/trades/0/symbol", json!("aapl"));
    assert!(symbol.starts_with(r#"trades.symbol: "aapl": "#), "{symbol}");
}

#[test]
fn what_counts_from_one_is_not_zero() {
    check(kind::MODEL_DAY_COMPLETED, "/attempt", json!(0), "attempt: is missing");
    check(kind::MODEL_DAY_COMPLETED, "/revision", json!(0), "revision: is missing");
    check(kind::MODEL_DAY_COMPLETED, "/base/revision", json!(0), "base.revision: is missing");
}

#[test]
fn ids_and_instants_are_what_they_say() {
    let problem = refusal(kind::JOB_STARTED, "/job_id", json!("42"));
    assert!(problem.starts_with(r#"job_id: "42": "#), "{problem}");

    let problem = refusal(kind::DATA_WAITING, "/until", json!("2025-10-31"));
    assert!(problem.starts_with(r#"until: "2025-10-31": "#), "{problem}");
}

#[test]
fn a_job_makes_sense() {
    let check = |pointer, value, expected| check(kind::JOB_REQUESTED, pointer, value, expected);

    check("/job/experiment", json!(""), "job.experiment: is missing");
    check("/job/end_date", json!("2025-10-21"), "job.end_date: 2025-10-21 is before 2025-10-22");
    check("/job/models/1/signature", json!("cash"), r#"models.signature: "cash" is listed twice"#);
    check("/job/models/0/initial_cash", json!("-1"), "models.initial_cash: -1 is below zero");
    check("/job/models/1", json!({"signature": "x"}), "models.kind: is missing");
    check("/job/models/2/costs/bps", json!("-1"), "models.costs: bps -1 is below zero");
    let top = "models.policy.momentum.top: 0 is not between 1 and 65535";
    check("/job/models/2/policy/momentum/top", json!(0), top);
}

#[test]
fn an_unknown_value_that_cannot_be_guessed_is_refused() {
    check(
        kind::DATA_READY,
        "/skipped_dates/0/reason",
        json!("SKIP_REASON_NEW"),
        "skipped_dates.reason: is missing",
    );
    check(kind::DATA_READY, "/skipped_dates/0/reason", json!(99), "skipped_dates.reason: is missing");
    check(
        kind::MODEL_DAY_COMPLETED,
        "/trades/0/side",
        json!("SIDE_SHORT"),
        "trades.side: is neither buy nor sell",
    );
    check(kind::JOB_COMPLETED, "/outcome", json!("JOB_OUTCOME_NEW"), "outcome: is missing");
}

#[test]
fn an_outcome_contradicts_no_type() {
    let expected = "outcome: JOB_OUTCOME_FAILED is not that of modelday.job.completed.v1";

    check(kind::JOB_COMPLETED, "/outcome", json!("JOB_OUTCOME_FAILED"), expected);
}
