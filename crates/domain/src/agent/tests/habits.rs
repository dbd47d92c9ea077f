//! What endpoints need back, and what models write in their own way.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::ModelResponse;

#[test]
fn what_an_endpoint_needs_back_is_sent_back_unchanged() {
    let world = World::new();
    let market = world.market();
    let extra = |value: Value| value.as_object().unwrap().clone();
    let mut first = call_tools(&[("get_position", "{}")]);
    if let ModelResponse::Message(message) = &mut first {
        message.extra = extra(json!({"reasoning_content": "why", "role": "user"}));
        message.tool_calls[0].extra = extra(
            json!({"extra_content": {"signature": "s"}, "function": {"signature": "t"}, "id": "other"}),
        );
    }

    let (requests, _) = world.play(&market, &[first, done()]);

    assert_eq!(
        body(&requests[1])["messages"][2],
        json!({"role": "assistant", "content": null, "reasoning_content": "why", "tool_calls": [
            {"id": "call_0", "type": "function", "extra_content": {"signature": "s"},
                "function": {"name": "get_position", "arguments": "{}", "signature": "t"}}]})
    );
}

#[test]
fn a_whole_number_with_a_fraction_of_zero_is_whole() {
    let world = World::new();
    let market = world.market();
    let calls = [
        ("buy", r#"{"symbol":"AAPL","amount":2.0}"#),
        ("get_price_history", r#"{"symbol":"AAPL","days":1.0}"#),
        ("buy", r#"{"symbol":"AAPL","amount":2.5}"#),
    ];

    let (_, ended) = world.play(&market, &[call_tools(&calls), done()]);

    let results = results(&ended, 1);
    assert_eq!(results[0], r#"{"CASH":800,"AAPL":2}"#);
    assert!(!results[1].contains("error"), "{}", results[1]);
    assert!(results[2].contains("error"), "{}", results[2]);
}
