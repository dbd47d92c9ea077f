//! OpenAI's Responses API: what is sent and what is read.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::response::Finish;
use crate::agent::{Dialect, ModelResponse, Secrets};

fn world() -> World {
    World { dialect: Dialect::Responses, ..World::new() }
}

fn classify(status: u16, body: &str) -> ModelResponse {
    Dialect::Responses.classify(&whole(status, body), &Secrets::default())
}

fn response(output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "status": "completed", "error": null, "incomplete_details": null,
        "output": output, "usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 60},
            "output_tokens": 30, "output_tokens_details": {"reasoning_tokens": 20}, "total_tokens": 130}})
}

fn reply(output: &Value) -> ModelResponse {
    classify(200, &response(output).to_string())
}

fn said(text: &str) -> Value {
    json!([{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]}])
}

fn reasoned_calls() -> Value {
    json!([
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "e=="},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_position", "arguments": "{}", "status": "completed"},
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "buy",
            "arguments": "{\"amount\":2,\"symbol\":\"AAPL\"}", "status": "completed"},
    ])
}

#[test]
fn items_go_back_unchanged_and_each_call_has_its_output() {
    let world = world();
    let market = world.market();

    let (requests, ended) = world.play(&market, &[reply(&reasoned_calls()), reply(&said("<FINISH_SIGNAL>"))]);

    let (first, second) = (body(&requests[0]), body(&requests[1]));
    assert_eq!((&first["store"], &first["stream"]), (&json!(false), &json!(false)));
    assert_eq!(first["include"], json!(["reasoning.encrypted_content"]));
    assert!(first["instructions"].as_str().unwrap().contains("<FINISH_SIGNAL>"));
    assert_eq!(first["input"].as_array().unwrap().len(), 1);
    let tool = &first["tools"][0];
    assert_eq!(
        (&tool["type"], &tool["name"], &tool["strict"]),
        (&json!("function"), &json!("get_price_local"), &json!(false))
    );
    let input = second["input"].as_array().unwrap();
    assert_eq!(Value::from(input[1..4].to_vec()), reasoned_calls());
    assert_eq!((&input[4]["type"], &input[4]["call_id"]), (&json!("function_call_output"), &json!("call_1")));
    assert_eq!((&input[5]["call_id"], input.len()), (&json!("call_2"), 6));
    let message = &ended.transcript.messages[2];
    assert_eq!(
        (message.reasoning.as_deref(), message.tool_calls),
        (Some("hm"), Some(2)),
        "people can read it"
    );
    assert_eq!((ended.spent.cached, ended.spent.reasoning), (120, 40));
}

#[test]
fn what_the_endpoint_does_not_know_can_be_left_out() {
    let extra = json!({"include": [], "reasoning": {"effort": "low"}, "input": "mine"});
    let world = world().with(json!({"sampling": {"max_completion_tokens": 500, "extra": extra}}));
    let market = world.market();

    let request = expect_call(&mut world.open(&market));

    let sent = body(&request);
    assert_eq!((&sent["include"], &sent["reasoning"]["effort"]), (&json!([]), &json!("low")));
    assert_eq!((&sent["max_output_tokens"], request.max_completion_tokens), (&json!(500), Some(500)));
    assert!(sent["input"].is_array(), "the conversation cannot be replaced");
}

#[test]
fn why_a_response_ended_is_read() {
    let ended = |change: Value| {
        let mut body = response(&said("a"));
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        classify(200, &body.to_string())
    };
    let finish = |change: Value| match ended(change) {
        ModelResponse::Message(message) => message.finish,
        ModelResponse::Failed(failure) => panic!("{failure:?}"),
    };
    let incomplete = |reason: &str| json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
    let refusal = json!([{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]);

    assert_eq!(finish(json!({})), Finish::Stop);
    assert_eq!(finish(incomplete("max_output_tokens")), Finish::Length);
    assert_eq!(finish(incomplete("content_filter")), Finish::ContentFilter);
    assert_eq!(reply(&refusal).class(), "refused");
    let failed = json!({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}});
    assert_eq!(ended(failed).class(), "throttled");
    assert_eq!(ended(json!({"status": "failed"})).class(), "server_error");
    let unknown = json!({"error": {"message": "Unknown parameter: 'seed'.", "type": "invalid_request_error",
        "param": "seed", "code": "unknown_parameter"}});
    assert_eq!(classify(400, &unknown.to_string()).class(), "bad_request");
}

#[test]
fn a_streamed_response_is_the_same_as_a_whole_one() {
    let event = |body: Value| format!("event: {}\ndata: {body}\n\n", body["type"].as_str().unwrap());
    let output = reasoned_calls();
    let items = output
        .as_array()
        .unwrap()
        .iter()
        .map(|item| event(json!({"type": "response.output_item.done", "item": item})));
    let begun =
        event(json!({"type": "response.created", "response": {"status": "in_progress", "output": []}}))
            + &items.collect::<String>();
    let completed =
        |output: &Value| event(json!({"type": "response.completed", "response": response(output)}));

    let whole = classify(200, &format!("{begun}{}", completed(&output)));
    let without_items = classify(200, &format!("{begun}{}", completed(&json!([]))));

    assert_eq!((&whole, &without_items), (&reply(&output), &reply(&output)));
    assert_eq!(classify(200, &begun).class(), "malformed", "it was cut");
    let error = event(json!({"type": "error", "code": "server_error", "message": "sorry", "param": null}));
    assert_eq!(classify(200, &format!("{begun}{error}")).class(), "server_error");
}
