//! What people read about each fault.

use super::*;
use crate::agent::response::{AssistantMessage, Failure, FailureClass, ToolCall};

const OWN: Tried<'_> = Tried {
    dialect: Dialect::Agent,
    address: "http://127.0.0.1:8099/decide",
    key_variable: None,
    basemodel: "",
    timeout_seconds: 5,
    max_answer_bytes: 100,
};

const LANGUAGE_MODEL: Tried<'_> = Tried {
    dialect: Dialect::ChatCompletions,
    address: "https://api.example.com/v1/chat/completions",
    key_variable: Some("MY_KEY"),
    basemodel: "gpt-9",
    ..OWN
};

fn text(diagnosis: &Diagnosis) -> String {
    format!("{} | {} | {}", diagnosis.problem, diagnosis.expected, diagnosis.fix)
}

#[test]
fn every_failure_of_an_endpoint_names_a_fix() {
    for class in FailureClass::ALL {
        for tried in [OWN, LANGUAGE_MODEL] {
            for status in [None, Some(500)] {
                let failure = Failure::new(class, "the cause; and its fix");
                let found = of_failure(&tried, &failure, status, None);
                assert!(!found.problem.is_empty() && !found.fix.is_empty(), "{class:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_failure_is_described_by_the_place_where_it_can_be_corrected() {
    let check = |tried: Tried<'_>, class, status, expected: &[&str]| {
        let found = text(&of_failure(&tried, &Failure::new(class, "said"), status, Some("refused")));
        assert!(expected.iter().all(|part| found.contains(part)), "{class:?}: {found}");
    };

    check(OWN, FailureClass::Unreachable, None, &["127.0.0.1:8099", "refused", "start the agent"]);
    check(LANGUAGE_MODEL, FailureClass::Unreachable, None, &["api.example.com", "base_url"]);
    check(OWN, FailureClass::BadModel, Some(404), &["POST http://127.0.0.1:8099/decide", "url"]);
    check(LANGUAGE_MODEL, FailureClass::BadModel, Some(404), &["\"gpt-9\"", "basemodel"]);
    check(LANGUAGE_MODEL, FailureClass::BadCredentials, Some(401), &["401", "MY_KEY", "api.example.com"]);
    check(OWN, FailureClass::BadCredentials, Some(401), &["AGENT_SECRETS", "127.0.0.1:8099"]);
    check(OWN, FailureClass::Timeout, None, &["too late", "5 s", "timeout_seconds"]);
    check(OWN, FailureClass::Malformed, Some(200), &["\"tool_calls\": [", "JSON object"]);
}

#[test]
fn an_own_agents_misspelt_members_are_named() {
    let found =
        of_message(&OWN, &AssistantMessage::empty(), r#"{"toolCalls":[],"done":true,"reasoning":""}"#);

    let found = text(&found.unwrap());
    assert!(found.contains("has done, toolCalls, which mean nothing"), "{found}");
    let idle = of_message(&OWN, &AssistantMessage::empty(), r#"{"tool_calls":[]}"#).unwrap();
    assert!(text(&idle).contains("\"finish\": true"), "{idle:?}");
}

#[test]
fn arguments_that_cannot_be_read_are_shown_with_the_tools_schema() {
    let call = ToolCall {
        id: None,
        name: "buy".to_owned(),
        arguments: "{\"symbol\":".to_owned(),
        extra: <_>::default(),
    };
    let message = AssistantMessage { tool_calls: vec![call], ..AssistantMessage::empty() };

    let found = text(&of_message(&OWN, &message, "").unwrap());

    assert!(found.contains("arguments of buy") && found.contains("\"amount\""), "{found}");
}

#[test]
fn a_call_that_a_tool_could_not_do_names_what_it_could() {
    let check = |name: &str, arguments: &str, result: &str, expected: &str| {
        let found = of_tool_result(name, arguments, result).map(|found| text(&found)).unwrap_or_default();
        assert!(found.contains(expected), "{result}: {found}");
    };

    check("get_position", "{}", r#"{"CASH":1}"#, "");
    assert_eq!(of_tool_result("get_position", "{}", r#"{"CASH":1}"#), None);
    check("short", "{}", r#"{"error":"Unknown tool short. ..."}"#, "one of get_price_local");
    let cash = r#"{"error":"Insufficient cash","required_cash":1000.5,"cash_available":500,"symbol":"AAPL"}"#;
    check("buy", r#"{"symbol":"AAPL","amount":10}"#, cash, "an amount of at most 4");
    check("sell", "{}", r#"{"error":"Insufficient shares","have":3,"want_to_sell":5}"#, "at most 3");
    check("sell", "{}", r#"{"error":"No position for AAPL"}"#, "get_position");
    check("buy", "{}", r#"{"error":"Symbol X not found on 2025-10-01"}"#, "universe");
    check("buy", "{}", r#"{"error":"Quantity must be positive"}"#, "1 or more");
    check(
        "get_price_local",
        "{}",
        r#"{"error":"Prices after the open of 2025-10-01 are not known"}"#,
        "up to today",
    );
    check(
        "buy",
        "{}",
        r#"{"error":"Missing required parameter: symbol"}"#,
        "\"required\":[\"symbol\",\"amount\"]",
    );
}
