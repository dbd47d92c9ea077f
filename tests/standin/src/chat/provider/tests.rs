//! What each provider takes, and what it refuses.

use serde_json::{Value, json};

use super::*;

const DATE: &str = "2025-10-02";

fn request(step: usize) -> ChatRequest {
    ChatRequest { model: "m".to_owned(), date: DATE.to_owned(), step }
}

fn response(provider: Provider) -> Value {
    let look = ToolCall::new("get_position", &json!({}));
    let order = ToolCall::new("buy", &json!({ "symbol": "AAPL", "amount": 1 }));
    provider.response(&Step { request: &request(0), tools: Some(&[look, order]), request_bytes: 400 })
}

/// The second request of a day, whose first response came back as `message`.
fn chat(message: Value) -> Value {
    let results: Vec<Value> = message["tool_calls"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|call| json!({ "role": "tool", "tool_call_id": call["id"], "content": "{}" }))
        .collect();
    let messages =
        [vec![json!({ "role": "user", "content": format!("today's ({DATE})") }), message], results];
    json!({ "model": "m", "messages": messages.concat(), "stream": false, "tools": [] })
}

fn refused(provider: Provider, body: &Value) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", "k".parse().unwrap());
    headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    provider.refusal(&request(1), body, &headers).map(|refusal| refusal.body.to_string())
}

/// The message that came, with ids on all of its calls.
fn came(provider: Provider) -> Value {
    let mut message = response(provider)["choices"][0]["message"].clone();
    message.as_object_mut().unwrap().retain(|_, value| !value.is_null() && *value != json!([]));
    message["content"] = Value::Null;
    for (index, call) in message["tool_calls"].as_array_mut().into_iter().flatten().enumerate() {
        if call["id"].is_null() {
            call["id"] = json!(format!("abc{index:06}"));
        }
    }
    message
}

#[test]
fn a_provider_of_chat_completions_needs_its_own_words_back() {
    let without = |provider: Provider, path: &str, reason: &str| {
        let message = came(provider);
        assert_eq!(refused(provider, &chat(message.clone())), None, "{provider:?}");
        let mut less = message;
        let (parent, name) = path.rsplit_once('/').unwrap();
        less.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        let refused = refused(provider, &chat(less)).unwrap_or_default();
        assert!(refused.contains(reason), "{provider:?}: {refused}");
    };

    without(Provider::Gemini, "/tool_calls/0/extra_content", "missing a thought_signature");
    without(Provider::OpenRouter, "/reasoning_details", "Invalid `signature`");
    without(Provider::DeepSeek, "/reasoning_content", "Missing `reasoning_content`");
    without(Provider::Kimi, "/reasoning_content", "reasoning_content is missing");
    without(Provider::Kimi, "/tool_calls/1/id", "tool_call_id is not found");
}

#[test]
fn the_facts_of_a_day_are_found_in_every_protocol() {
    let (prompt, user) = ("CASH: 5\nAAPL: 100", format!("today's ({DATE})"));
    let (position, bar) = ("{\"CASH\":12.5}", "{\"ohlcv\":{\"open\":101.25}}");
    let text = |text: &str| json!([{ "type": "text", "text": text }]);
    let result = |id: &str, text: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": text });
    let output =
        |id: &str, text: &str| json!({ "type": "function_call_output", "call_id": id, "output": text });
    let of_messages = json!({ "model": "m", "system": text(prompt), "messages": [
        { "role": "user", "content": text(&user) },
        { "role": "assistant", "content": response(Provider::Anthropic)["content"] },
        { "role": "user", "content": [result("a", position), result("b", bar)] }] });
    let items = response(Provider::Responses)["output"].as_array().unwrap().clone();
    let input = [
        vec![json!({ "role": "user", "content": user })],
        items,
        vec![output("a", position), output("b", bar)],
    ];
    let of_responses = json!({ "model": "m", "instructions": prompt, "input": input.concat() });

    for (protocol, body) in [(Protocol::Messages, of_messages), (Protocol::Responses, of_responses)] {
        let chat = protocol.as_chat(&body).unwrap();
        let found = ChatRequest::parse(&chat).unwrap();
        let facts = crate::chat::day_facts::from_chat(&found, &chat);

        assert_eq!(found, request(1), "{protocol:?}");
        assert_eq!(facts.symbols, ["AAPL"], "{protocol:?}");
        assert_eq!((facts.cash, facts.open), ("12.5".parse().ok(), "101.25".parse().ok()), "{protocol:?}");
    }
}

#[test]
fn strict_providers_refuse_what_they_do_not_know() {
    for provider in [Provider::OpenAi, Provider::Gemini, Provider::Mistral] {
        let mut message = came(provider);
        assert_eq!(refused(provider, &chat(message.clone())), None, "{provider:?}");
        message["reasoning_content"] = json!("hm");
        assert!(refused(provider, &chat(message)).unwrap().contains("reasoning_content"), "{provider:?}");
    }
    let mut long = came(Provider::Mistral);
    long["tool_calls"][0]["id"] = json!("call_2_0");
    assert!(refused(Provider::Mistral, &chat(long)).unwrap().contains("with a length of 9"));
    let mut unanswered = chat(came(Provider::OpenAi));
    unanswered["messages"].as_array_mut().unwrap().pop();
    unanswered["messages"].as_array_mut().unwrap().push(json!({ "role": "user", "content": "go on" }));
    assert!(refused(Provider::OpenAi, &unanswered).unwrap().contains("did not have response messages"));
}

#[test]
fn messages_must_come_back_with_their_thoughts_and_all_results() {
    let content = response(Provider::Anthropic)["content"].clone();
    let body = |content: Value, results: usize| {
        let result = |index| json!({ "type": "tool_result", "tool_use_id": format!("toolu_0_{index}"), "content": "{}" });
        let results: Vec<Value> = (0..results).map(result).collect();
        json!({ "model": "m", "max_tokens": 9_000, "system": [], "stream": false, "tools": [],
            "thinking": { "type": "enabled", "budget_tokens": 2_000 },
            "messages": [{ "role": "user", "content": [{ "type": "text", "text": "go" }] },
                { "role": "assistant", "content": content }, { "role": "user", "content": results }] })
    };
    let check = |body: Value, reason: &str| {
        let refused = refused(Provider::Anthropic, &body).unwrap_or_default();
        assert!(refused.contains(reason), "{refused}");
    };

    assert_eq!(refused(Provider::Anthropic, &body(content.clone(), 2)), None);
    check(body(content.clone(), 1), "without `tool_result` blocks");
    check(body(json!(content.as_array().unwrap()[1..]), 2), "Expected `thinking`");
    let mut forged = content.clone();
    forged[0]["signature"] = json!("s");
    check(body(forged, 2), "Invalid `signature`");
    let mut changed = body(content.clone(), 2);
    changed["seed"] = json!(1);
    check(changed, "seed: Extra inputs are not permitted");
    let mut endless = body(content, 2);
    endless["max_tokens"] = json!(2_000);
    check(endless, "must be greater than");
}

#[test]
fn responses_must_come_back_with_their_reasoning_and_all_outputs() {
    let output = response(Provider::Responses)["output"].clone();
    let body = |output: &[Value], outputs: usize| {
        let result = |index| json!({ "type": "function_call_output", "call_id": format!("call_0_{index}"), "output": "{}" });
        let results: Vec<Value> = (0..outputs).map(result).collect();
        let input = [vec![json!({ "role": "user", "content": "go" })], output.to_vec(), results].concat();
        json!({ "model": "m", "input": input, "store": false, "stream": false, "tools": [] })
    };
    let items = output.as_array().unwrap();
    let check = |body: Value, reason: &str| {
        let refused = refused(Provider::Responses, &body).unwrap_or_default();
        assert!(refused.contains(reason), "{refused}");
    };

    assert_eq!(refused(Provider::Responses, &body(items, 2)), None);
    check(body(items, 1), "No tool output found for function call call_0_1");
    check(body(&items[1..], 2), "without its required 'reasoning' item");
    let mut plain = items.clone();
    plain[0].as_object_mut().unwrap().remove("encrypted_content");
    check(body(&plain, 2), "not persisted");
    let mut unknown = body(items, 2);
    unknown["seed"] = json!(1);
    check(unknown, "Unknown parameter: 'seed'");
}
