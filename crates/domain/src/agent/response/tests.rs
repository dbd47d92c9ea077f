//! Responses and their classes: all vectors, and others like them.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::*;
use crate::agent::dialect::Dialect;

const KEY: &str = "local-key-0815-4711";

mod habits;

fn at() -> DateTime<Utc> {
    "2025-10-02T13:30:00Z".parse().unwrap()
}

fn secrets() -> Secrets {
    Secrets::new([KEY.to_owned()])
}

fn raw(status: u16, headers: &[(&str, &str)], body: &[u8]) -> RawResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    whole(status, headers, body.to_vec())
}

fn whole(status: u16, headers: BTreeMap<String, String>, body: Vec<u8>) -> RawResponse {
    RawResponse { delivery: Delivery::Whole, status: Some(status), headers, body, received_at: at() }
}

fn classify(raw: &RawResponse) -> ModelResponse {
    Dialect::ChatCompletions.classify(raw, &secrets())
}

fn of(status: u16, body: &Value) -> ModelResponse {
    classify(&raw(status, &[], body.to_string().as_bytes()))
}

fn check(status: u16, body: &Value, expected: &str) {
    assert_eq!(of(status, body).class(), expected, "{status} {body}");
}

fn message(body: &Value) -> AssistantMessage {
    match of(200, body) {
        ModelResponse::Message(message) => message,
        ModelResponse::Failed(failure) => panic!("{failure:?}"),
    }
}

fn failure(raw: &RawResponse) -> Failure {
    match classify(raw) {
        ModelResponse::Failed(failure) => failure,
        ModelResponse::Message(message) => panic!("{message:?}"),
    }
}

fn reply(message: Value, reason: &str) -> Value {
    json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}]})
}

fn calls(calls: Value) -> Value {
    reply(json!({"content": null, "tool_calls": calls}), "tool_calls")
}

#[test]
fn every_vector_has_its_class() {
    let vectors: Value = serde_json::from_str(include_str!("../../../testdata/llm_responses.json")).unwrap();
    let vectors = vectors["responses"].as_array().unwrap();

    for vector in vectors {
        let headers = serde_json::from_value(vector["headers"].clone()).unwrap();
        let body = match &vector["body"] {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            body => body.to_string().into_bytes(),
        };
        let answer = match vector["http_status"].as_u64() {
            Some(status) => whole(status.try_into().unwrap(), headers, body),
            None => RawResponse::none(Delivery::TimedOut, at()),
        };
        assert_eq!(classify(&answer).class(), vector["expected_class"], "{}", vector["name"]);
    }
    assert_eq!(vectors.len(), 27);
}

#[test]
fn an_error_is_told_by_its_code_before_its_status() {
    let error = |code: Value, kind: &str| json!({"error": {"message": "m", "type": kind, "code": code}});

    check(429, &error(json!("insufficient_quota"), "insufficient_quota"), "no_money");
    check(429, &error(json!(null), "insufficient_quota"), "no_money");
    check(400, &error(json!("rate_limit_exceeded"), "invalid_request_error"), "throttled");
    check(402, &error(json!("rate_limit_exceeded"), ""), "no_money");
    check(500, &error(json!("invalid_api_key"), ""), "bad_credentials");
    check(200, &error(json!(429), ""), "throttled");
    check(200, &error(json!("503"), ""), "server_error");
    check(200, &error(json!(402), ""), "no_money");
    check(200, &error(json!("something"), ""), "server_error");
    check(404, &error(json!("model_not_found"), "invalid_request_error"), "bad_model");
    check(503, &error(json!("model_overloaded"), "overloaded_error"), "server_error");
    check(403, &error(json!("insufficient_permissions"), ""), "bad_credentials");
    check(403, &error(json!("insufficient_user_quota"), "new_api_error"), "no_money");
    check(400, &error(json!("content_filter"), ""), "refused");
}

#[test]
fn without_a_code_the_status_decides() {
    let classes = [
        (400, "bad_request"),
        (401, "bad_credentials"),
        (402, "no_money"),
        (403, "bad_credentials"),
        (404, "bad_model"),
        (408, "timeout"),
        (409, "server_error"),
        (413, "too_long"),
        (422, "bad_request"),
        (429, "throttled"),
        (500, "server_error"),
        (504, "server_error"),
        (529, "server_error"),
    ];
    for (status, class) in classes {
        check(status, &json!({"error": {"message": "no"}}), class);
        check(status, &json!({"detail": "no"}), class);
        check(status, &json!("no"), class);
    }
}

#[test]
fn errors_come_in_many_shapes() {
    check(429, &json!([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}]), "throttled");
    check(
        200,
        &json!({"choices": [{"error": {"code": 502, "message": "m"}, "message": {}}]}),
        "server_error",
    );
    check(
        200,
        &json!({"choices": [{"message": {"content": "half"}, "finish_reason": "error"}]}),
        "server_error",
    );
    check(200, &json!({"error": "rate_limit_exceeded"}), "throttled");
    check(400, &json!({"error": "your prompt is too long: 3 > 2 tokens"}), "too_long");
    check(400, &json!({"error": {"message": "x/y is not a valid model ID", "code": 400}}), "bad_model");
    check(
        400,
        &json!({"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}}),
        "bad_credentials",
    );
    check(
        400,
        &json!({"message": "m", "type": "invalid_request_error", "code": "context_length_exceeded"}),
        "too_long",
    );
}

#[test]
fn a_success_may_say_that_there_is_no_error() {
    for blank in [json!(null), json!({}), json!("")] {
        let mut body = reply(json!({"content": "hm"}), "stop");
        body["error"] = blank;
        check(200, &body, "final");
    }
}

#[test]
fn what_is_no_answer_is_malformed() {
    let check = |body: &[u8]| assert_eq!(failure(&raw(200, &[], body)).class, FailureClass::Malformed);

    check(b"");
    check(b"<html>ok</html>");
    check(b"[]");
    check(b"\"ok\"");
    check(b"{\"choices\":[{\"message\":{\"content\":\"caf\xe9\"}}]}");
    check("[".repeat(100_000).as_bytes());
    check(b"{\"choices\":[{\"message\":{\"content\":\"\\ud800\"}}]}");
}

#[test]
fn deliveries_that_ended_early_have_their_classes() {
    let class = |delivery| failure(&RawResponse::none(delivery, at())).class;
    let cut = |body: &[u8]| RawResponse { delivery: Delivery::Cut, ..raw(200, &[], body) };

    assert_eq!(class(Delivery::TimedOut), FailureClass::Timeout);
    assert_eq!(class(Delivery::Whole), FailureClass::Timeout);
    assert_eq!(class(Delivery::Cut), FailureClass::Malformed);
    assert_eq!(class(Delivery::Unreachable), FailureClass::Unreachable);
    assert_eq!(class(Delivery::TooLarge), FailureClass::TooLarge);
    assert_eq!(failure(&cut(b"{\"choices\":[")).class, FailureClass::Malformed);
    let whole = reply(json!({"content": "<FINISH_SIGNAL>"}), "stop").to_string();
    assert_eq!(classify(&cut(whole.as_bytes())).class(), "final", "all that matters came");
}

#[test]
fn the_endpoint_says_how_long_to_wait() {
    let check = |headers: &[(&str, &str)], expected: Option<u64>| {
        let waited = failure(&raw(429, headers, b"{}")).retry_after;
        assert_eq!(waited, expected.map(Duration::from_millis), "{headers:?}");
    };

    check(&[], None);
    check(&[("retry-after", "3")], Some(3_000));
    check(&[("retry-after", " 0.25 ")], Some(250));
    check(&[("retry-after", "3"), ("retry-after-ms", "2500")], Some(2_500));
    check(&[("retry-after", "3"), ("retry-after-ms", "soon")], Some(3_000));
    check(&[("retry-after", "Thu, 02 Oct 2025 13:31:00 GMT")], Some(60_000));
    let date = ("date", "Thu, 02 Oct 2025 13:30:50 GMT");
    check(&[("retry-after", "Thu, 02 Oct 2025 13:31:00 GMT"), date], Some(10_000));
    check(&[("retry-after", "Thu, 02 Oct 2025 13:00:00 GMT")], Some(0));
    check(&[("retry-after", "-5")], None);
    check(&[("retry-after", "1e400")], None);
}

#[test]
fn tool_calls_are_read_in_every_shape() {
    let called = |body: &Value| message(body).tool_calls;
    let standard = called(&calls(
        json!([{"id": "c", "type": "function", "function": {"name": "buy", "arguments": "{\"amount\":5}"}}]),
    ));
    let proxied = calls(json!([{"id": "c", "name": "buy", "args": {"amount": 5}}]));
    let single = calls(json!({"id": "c", "function": {"name": "buy", "arguments": {"amount": 5}}}));
    let mut top = reply(json!({"content": null}), "tool_calls");
    top["tool_calls"] = json!([{"id": "c", "name": "buy", "parameters": {"amount": 5}}]);
    let legacy =
        reply(json!({"function_call": {"name": "buy", "arguments": "{\"amount\":5}"}}), "function_call");

    assert_eq!(standard.len(), 1);
    assert_eq!(called(&proxied), standard);
    assert_eq!(called(&single), standard);
    assert_eq!(called(&top), standard);
    assert_eq!(called(&legacy), [ToolCall { id: None, ..standard[0].clone() }]);
    let nonsense =
        called(&calls(json!([7, {"function": null}, {"id": "", "name": "add", "arguments": null}])));
    assert_eq!(nonsense.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), ["", "", "add"]);
}

#[test]
fn a_cut_or_filtered_answer_calls_no_tools() {
    let call = json!([{"id": "c", "function": {"name": "buy", "arguments": "{}"}}]);
    let ended = |reason| reply(json!({"content": null, "tool_calls": call}), reason);

    check(200, &ended("tool_calls"), "tool_calls");
    check(200, &ended("stop"), "tool_calls");
    check(200, &ended("length"), "truncated");
    check(200, &ended("content_filter"), "refused");
    check(200, &reply(json!({"content": null, "refusal": "I cannot"}), "stop"), "refused");
    check(200, &reply(json!({"content": "done <FINISH_SIGNAL> and"}), "length"), "final");
}

#[test]
fn nothing_said_is_empty() {
    check(200, &reply(json!({"content": " \n"}), "stop"), "empty");
    check(200, &reply(json!(null), "stop"), "empty");
    check(200, &json!({"choices": [{}]}), "empty");
    check(200, &json!({"choices": []}), "empty");
    check(200, &json!({}), "server_error");
}

#[test]
fn content_in_parts_is_one_text() {
    let parts = reply(
        json!({"content": [{"type": "text", "text": "a"}, "b", {"image": 1}], "reasoning": "why"}),
        "stop",
    );

    let message = message(&parts);

    assert_eq!((message.content.as_str(), message.reasoning.as_deref()), ("ab", Some("why")));
}

#[test]
fn missing_usage_is_unknown() {
    let mut body = reply(json!({"content": "hm"}), "stop");
    assert_eq!(message(&body).usage, Default::default());

    body["usage"] = json!({"prompt_tokens": 0, "completion_tokens": 0});
    assert_eq!(message(&body).usage.prompt, Some(0));
}

#[test]
fn a_key_appears_in_no_part_of_an_answer() {
    let text = format!("you sent {KEY} and sk-proj-1234");
    let error = failure(&raw(401, &[], json!({"error": {"message": text}}).to_string().as_bytes()));
    let page = failure(&raw(502, &[], format!("<p>{text}</p>").as_bytes()));
    let echo = message(&calls(json!([{"id": KEY, "function": {"name": KEY, "arguments": {"q": KEY}}}])));

    assert_eq!(error.text, "you sent [redacted] and [redacted]");
    assert_eq!(page.text, "<p>you sent [redacted] and [redacted]</p>");
    assert!(!serde_json::to_string(&echo).unwrap().contains(KEY));
}

#[test]
fn an_error_s_text_is_bounded() {
    let long = json!({"error": {"message": "long ".repeat(10_000)}});

    assert_eq!(failure(&raw(400, &[], long.to_string().as_bytes())).text.chars().count(), 501);
}

#[test]
fn control_characters_are_left_out() {
    assert_eq!(message(&reply(json!({"content": "a\u{0}b\n"}), "stop")).content, "a\u{fffd}b\n");
}

#[test]
fn an_answer_is_read_as_it_was_written() {
    let answers = [
        of(200, &calls(json!([{"id": "c", "function": {"name": "add", "arguments": "{\"a\":0.1,\"b\":"}}]))),
        classify(&raw(429, &[("retry-after", "1.5")], b"{}")),
    ];
    for answer in answers {
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<ModelResponse>(&text).unwrap(), answer, "{text}");
    }
}

#[test]
fn a_redirect_is_an_answer_of_its_own_and_names_where_it_leads_without_its_secrets() {
    let redirect = |location: &str| failure(&raw(307, &[("location", location)], b"<html>moved</html>"));

    let found = redirect("https://u:local-key-0815-4711@other.example:8443/v1?key=local-key-0815-4711");
    let plain = redirect("https://other.example:8443/v1?key=local-key-0815-4711");

    assert_eq!((found.class, plain.class), (FailureClass::Redirected, FailureClass::Redirected));
    assert!(found.text.contains("redirects to another address"), "{}", found.text);
    assert!(plain.text.contains("redirects to other.example:8443,"), "{}", plain.text);
    for status in [300, 301, 302, 303, 308, 399] {
        check(status, &json!({"error": {"code": "server_error"}}), "redirected");
    }
}

#[test]
fn a_name_that_leads_inside_is_told_with_the_setting_that_opens_it() {
    let found = failure(&RawResponse::none(Delivery::NotAllowed, at()));

    assert_eq!(found.class, FailureClass::NotAllowed);
    assert!(found.text.contains("ENDPOINT_ALLOW"), "{}", found.text);
}
