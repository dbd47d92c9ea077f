//! Anthropic's Messages API: what is sent, what is read, and what it costs.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::response::Finish;
use crate::agent::usage::CostBasis;
use crate::agent::{Dialect, FailureClass, ModelResponse, Secrets};

fn world() -> World {
    World { dialect: Dialect::Messages, ..World::new() }
}

fn classify(status: u16, body: &str) -> ModelResponse {
    Dialect::Messages.classify(&whole(status, body), &Secrets::default())
}

fn reply(content: &Value, reason: &str) -> ModelResponse {
    let usage = json!({"input_tokens": 10, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 3000,
        "output_tokens": 40});
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content,
        "stop_reason": reason, "stop_sequence": null, "usage": usage});
    classify(200, &body.to_string())
}

fn thought_and_calls() -> Value {
    json!([
        {"type": "thinking", "thinking": "hm", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "dark"},
        {"type": "text", "text": " "},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "get_position", "input": {}},
        {"type": "tool_use", "id": "toolu_1", "name": "buy", "input": {"symbol": "AAPL", "amount": 2}},
    ])
}

#[test]
fn thoughts_and_calls_go_back_unchanged_and_all_results_follow_in_one_message() {
    let world = world();
    let market = world.market();

    let (requests, ended) = world.play(
        &market,
        &[
            reply(&thought_and_calls(), "tool_use"),
            reply(&json!([{"type": "text", "text": "<FINISH_SIGNAL>"}]), "end_turn"),
        ],
    );

    let (first, second) = (body(&requests[0]), body(&requests[1]));
    assert_eq!(first["max_tokens"], 8_192);
    assert_eq!(first["stream"], false);
    let ephemeral = json!({"type": "ephemeral"});
    assert_eq!(
        (&first["system"][0]["type"], &first["system"][0]["cache_control"]),
        (&json!("text"), &ephemeral)
    );
    assert_eq!(first["tools"][0]["input_schema"]["type"], "object");
    assert_eq!(first["messages"].as_array().unwrap().len(), 1, "the system prompt is no message");
    assert_eq!(first["messages"][0]["content"][0]["cache_control"], ephemeral);
    let messages = second["messages"].as_array().unwrap();
    assert_eq!(messages[0]["content"][0].get("cache_control"), None, "only the end is marked");
    let again = &messages[1]["content"];
    assert_eq!((&again[0], &again[1]), (&thought_and_calls()[0], &thought_and_calls()[1]));
    assert_eq!(
        (&again[2], &again[3]),
        (&thought_and_calls()[3], &thought_and_calls()[4]),
        "without the blank text"
    );
    let made = again[4]["id"].as_str().unwrap();
    assert_eq!((&again[4]["input"], made == "toolu_1"), (&json!({"symbol": "AAPL", "amount": 2}), false));
    let results = messages[2]["content"].as_array().unwrap();
    assert_eq!((&messages[2]["role"], results.len(), messages.len()), (&json!("user"), 2, 3));
    assert_eq!((&results[0]["tool_use_id"], &results[1]["tool_use_id"]), (&json!("toolu_1"), &json!(made)));
    assert_eq!((results[0].get("cache_control"), &results[1]["cache_control"]), (None, &ephemeral));
    let said = &ended.transcript.messages[2];
    assert_eq!(
        (said.content.trim(), said.reasoning.as_deref()),
        ("I look.", Some("hm")),
        "people can read it"
    );
}

#[test]
fn a_reminder_and_a_call_in_the_text_fit_the_protocol() {
    let world = world();
    let market = world.market();
    let text = |text: &str| reply(&json!([{"type": "text", "text": text}]), "end_turn");

    let call = "<tool_call>{\"name\": \"get_position\", \"arguments\": {}}</tool_call>";
    let (requests, _) = world.play(&market, &[text("Hm."), text(call), text("<FINISH_SIGNAL>")]);

    let messages = body(&requests[2])["messages"].clone();
    let roles: Vec<_> = messages.as_array().unwrap().iter().map(|message| message["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    assert_eq!(messages[1]["content"], json!([{"type": "text", "text": "Hm."}]));
    assert_eq!(
        (&messages[3]["content"][0]["text"], &messages[3]["content"][1]["type"]),
        (&json!(call), &json!("tool_use"))
    );
    assert_eq!(messages[4]["content"][0]["tool_use_id"], messages[3]["content"][1]["id"]);
}

#[test]
fn tokens_of_the_cache_are_part_of_the_request_and_have_their_prices() {
    let ModelResponse::Message(message) = reply(&thought_and_calls(), "tool_use") else { panic!() };
    let prices = serde_json::from_value(
        json!({"input": "3", "cached_input": "0.3", "cache_write": "3.75", "output": "15"}),
    )
    .unwrap();

    let usage = message.usage;

    assert_eq!((usage.prompt, usage.cached, usage.cache_write), (Some(3_210), Some(3_000), Some(200)));
    // 10 at 3, 3,000 at 0.3, 200 at 3.75 and 40 at 15 dollars a million.
    assert_eq!(usage.cost(Some(&prices), CostBasis::Prices), Some(decimal("0.00228")));
}

#[test]
fn why_a_message_ended_is_read_and_errors_have_their_classes() {
    let finish = |reason: &str| match reply(&json!([{"type": "text", "text": "a"}]), reason) {
        ModelResponse::Message(message) => message.finish,
        ModelResponse::Failed(failure) => panic!("{failure:?}"),
    };
    let class = |status: u16, kind: &str, message: &str| {
        let body =
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"});
        classify(status, &body.to_string()).class().to_owned()
    };

    assert_eq!((finish("end_turn"), finish("max_tokens")), (Finish::Stop, Finish::Length));
    assert_eq!(
        (finish("model_context_window_exceeded"), finish("refusal")),
        (Finish::Length, Finish::ContentFilter)
    );
    assert_eq!(class(529, "overloaded_error", "Overloaded"), "server_error");
    assert_eq!(class(429, "rate_limit_error", "This request would exceed your rate limit"), "throttled");
    assert_eq!(
        class(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        "too_long"
    );
    assert_eq!(
        class(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        "no_money"
    );
    assert_eq!(class(401, "authentication_error", "invalid x-api-key"), "bad_credentials");
    assert_eq!(class(404, "not_found_error", "model: claude-x"), "bad_model");
    assert_eq!(class(413, "request_too_large", "Request exceeds the maximum size"), "too_long");
    assert_eq!(
        classify(200, r#"{"choices":[]}"#).class(),
        FailureClass::ServerError.as_str(),
        "another protocol"
    );
}

#[test]
fn a_streamed_message_is_the_same_as_a_whole_one() {
    let event = |body: Value| format!("event: {}\ndata: {body}\n\n", body["type"].as_str().unwrap());
    let start = |index: u32, block: Value| {
        event(json!({"type": "content_block_start", "index": index, "content_block": block}))
    };
    let delta = |index: u32, delta: Value| {
        event(json!({"type": "content_block_delta", "index": index, "delta": delta}))
    };
    let head = event(
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "content": [], "stop_reason": null, "usage": {"input_tokens": 10, "cache_creation_input_tokens": 200,
            "cache_read_input_tokens": 3000, "output_tokens": 1}}}),
    );
    let blocks = [
        start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, json!({"type": "thinking_delta", "thinking": "h"})),
        delta(0, json!({"type": "thinking_delta", "thinking": "m"})),
        delta(0, json!({"type": "signature_delta", "signature": "sig=="})),
        start(1, json!({"type": "redacted_thinking", "data": "dark"})),
        start(2, json!({"type": "text", "text": ""})),
        delta(2, json!({"type": "text_delta", "text": "I look."})),
        start(3, json!({"type": "tool_use", "id": "toolu_1", "name": "get_position", "input": {}})),
        start(4, json!({"type": "tool_use", "id": "toolu_1", "name": "buy", "input": {}})),
        delta(4, json!({"type": "input_json_delta", "partial_json": "{\"symbol\": \"AAPL\","})),
        delta(4, json!({"type": "input_json_delta", "partial_json": " \"amount\": 2}"})),
    ]
    .concat();
    let tail =
        event(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
        "usage": {"output_tokens": 40}}))
            + &event(json!({"type": "message_stop"}));
    let mut content = thought_and_calls();
    content.as_array_mut().unwrap().remove(2);

    let streamed = classify(200, &format!("{head}{blocks}{tail}"));

    assert_eq!(streamed, reply(&content, "tool_use"));
    assert_eq!(classify(200, &format!("{head}{blocks}")).class(), "malformed", "it was cut");
    let overloaded =
        event(json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}));
    assert_eq!(classify(200, &format!("{head}{overloaded}")).class(), "server_error");
}

#[test]
fn the_limit_of_tokens_is_always_sent_and_larger_than_the_budget_of_thinking() {
    let limit = |sampling: Value| {
        let world = world().with(json!({ "sampling": sampling }));
        let market = world.market();
        let request = expect_call(&mut world.open(&market));
        assert_eq!(request.max_completion_tokens, body(&request)["max_tokens"].as_u64());
        request.max_completion_tokens
    };

    assert_eq!(limit(json!({})), Some(8_192));
    assert_eq!(
        limit(json!({"extra": {"thinking": {"type": "enabled", "budget_tokens": 4_000}}})),
        Some(12_192)
    );
    assert_eq!(limit(json!({"extra": {"max_tokens": 500}})), Some(500));
    assert_eq!(limit(json!({"max_completion_tokens": 700, "extra": {"max_tokens": 500}})), Some(700));
}
