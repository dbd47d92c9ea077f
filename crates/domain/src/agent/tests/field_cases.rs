//! Reports of users of other programs about endpoints of language models, by the ids under which they were collected.

use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::{Dialect, EndReason, EndedSession, Failure, ModelResponse, Secrets, next_try};

const CASES: [(&str, fn()); 13] = [
    ("ll-gemini", gemini),
    ("ll-deepseek", deepseek),
    ("ll-copilot", copilot),
    ("ll-hermes", hermes),
    ("ll-think-marker", think_marker),
    ("ll-double", double),
    ("ll-prefixed", prefixed),
    ("ll-mistral-ids", mistral_ids),
    ("ll-retry-delay", retry_delay),
    ("ll-sse", sse),
    ("ll-nul-text", nul_text),
    ("ll-error-of-a-gateway", error_of_a_gateway),
    ("ll-full-url", full_url),
];

#[test]
fn every_reported_case_of_an_endpoint_comes_out_right() {
    let failed: Vec<&str> =
        CASES.iter().filter(|(_, case)| std::panic::catch_unwind(case).is_err()).map(|(id, _)| *id).collect();

    assert!(failed.is_empty(), "{failed:?}");
}

fn response(status: u16, body: &str) -> ModelResponse {
    Dialect::ChatCompletions.classify(&whole(status, body), &Secrets::default())
}

fn choice(message: Value, finish: &str) -> Value {
    json!({"index": 0, "message": message, "finish_reason": finish})
}

fn reply(choices: &[Value]) -> ModelResponse {
    response(200, &json!({"choices": choices}).to_string())
}

fn buy(name: &str, arguments: &str) -> Value {
    json!({"id": "call_a", "type": "function", "function": {"name": name, "arguments": arguments}})
}

const FIVE: &str = r#"{"symbol":"AAPL","amount":5}"#;

/// A day whose first response is this one; the second request, and how it ended.
fn day(first: ModelResponse) -> (Value, EndReason, u64) {
    let world = World::new();
    let market = world.market();
    let (requests, ended) = world.play(&market, &[first, done()]);
    let shares = ended.book.portfolio().holdings().get(&symbol("AAPL")).copied();
    (body(&requests[1]), ended.reason, shares.map_or(0, |shares| shares.to_string().parse().unwrap()))
}

/// The first response buys five shares, and the day goes on to its end.
fn buys(first: ModelResponse) -> Value {
    let (second, reason, shares) = day(first);
    assert_eq!((reason, shares), (EndReason::Finished, 5));
    second["messages"][2].clone()
}

fn gemini() {
    let mut call = buy("buy", FIVE);
    call["extra_content"] = json!({"google": {"thought_signature": "s=="}});
    let again = buys(reply(&[choice(json!({"content": null, "tool_calls": [call]}), "tool_calls")]));
    assert_eq!(again["tool_calls"][0]["extra_content"], json!({"google": {"thought_signature": "s=="}}));
}

fn deepseek() {
    let message = json!({"content": "", "reasoning_content": "hm", "tool_calls": [buy("buy", FIVE)]});
    assert_eq!(buys(reply(&[choice(message, "tool_calls")]))["reasoning_content"], "hm");
}

fn copilot() {
    let text = choice(json!({"content": "I buy."}), "tool_calls");
    buys(reply(&[text, choice(json!({"content": null, "tool_calls": [buy("buy", FIVE)]}), "tool_calls")]));
}

fn hermes() {
    let text = format!("<tool_call>\n{{\"name\": \"buy\", \"arguments\": {FIVE}}}\n</tool_call>");
    buys(reply(&[choice(json!({"content": text, "tool_calls": []}), "stop")]));
}

fn think_marker() {
    let text = "<think>At the end I have to write <FINISH_SIGNAL>.</think>First I buy.";
    let message = json!({"content": text, "tool_calls": [buy("buy", FIVE)]});
    buys(reply(&[choice(message, "tool_calls")]));
    let (second, reason, _) = day(reply(&[choice(json!({"content": text}), "stop")]));
    assert_eq!(reason, EndReason::Finished);
    assert_eq!(second["messages"][3]["role"], "user", "it is reminded, not taken to be done");
}

fn double() {
    let twice = Value::from(FIVE).to_string();
    buys(reply(&[choice(json!({"content": null, "tool_calls": [buy("buy", &twice)]}), "tool_calls")]));
}

fn prefixed() {
    for name in ["functions.buy", "default_api.buy", "buy<|channel|>commentary", "functions.buy:0"] {
        buys(reply(&[choice(json!({"content": null, "tool_calls": [buy(name, FIVE)]}), "tool_calls")]));
    }
}

fn mistral_ids() {
    let mut call = buy("buy", FIVE);
    call["id"] = Value::Null;
    let again = buys(reply(&[choice(json!({"content": null, "tool_calls": [call]}), "tool_calls")]));
    let id = again["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
}

fn failure(status: u16, body: &Value) -> Failure {
    match response(status, &body.to_string()) {
        ModelResponse::Failed(failure) => failure,
        ModelResponse::Message(message) => panic!("{message:?}"),
    }
}

fn retry_delay() {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "8s"}]);
    let body = json!([{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": details}}]);
    assert_eq!(next_try(&failure(429, &body), 1, 0), Some(Duration::from_secs(8)));
}

fn sse() {
    let piece = |delta: Value, finish: Value| {
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    };
    let mut call = buy("buy", FIVE);
    call["index"] = json!(0);
    let text = piece(json!({"role": "assistant", "tool_calls": [call]}), Value::Null)
        + &piece(json!({}), json!("tool_calls"))
        + "data: [DONE]\n\n";
    buys(response(200, &text));
    let world = World::new();
    let market = world.market();
    assert_eq!(body(&expect_call(&mut world.open(&market)))["stream"], false);
}

fn nul_text() {
    let mut call = buy("buy", r#"{"symbol":"AA\u0000PL","amount":5}"#);
    call["id"] = json!("call\u{0}a");
    let world = World::new();
    let market = world.market();
    let message = json!({"content": "I\u{0}buy", "tool_calls": [call]});
    let (_, ended): (_, EndedSession<'_>) =
        world.play(&market, &[reply(&[choice(message, "tool_calls")]), done()]);
    assert_eq!(ended.reason, EndReason::Finished);
    let stored = serde_json::to_string(&ended.transcript).unwrap();
    // An escape inside the escaped text of arguments is text, not a character.
    assert!(!stored.replace("\\\\u0000", "").contains("\\u0000"), "{stored}");
}

fn error_of_a_gateway() {
    let metadata = json!({"raw": "{\"error\":\"tools are not supported\"}", "provider_name": "x"});
    let body = json!({"error": {"message": "Provider returned error", "code": 400, "metadata": metadata}});
    assert!(failure(400, &body).text.contains("tools are not supported"));
}

fn full_url() {
    let url = "https://api.example.com/v1/chat/completions";
    assert_eq!(Dialect::ChatCompletions.address(url), url);
}
