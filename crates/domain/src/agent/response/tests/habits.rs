//! What single endpoints do differently, and what is made of it.

use super::*;

#[test]
fn members_that_mean_nothing_here_are_kept() {
    let body = reply(
        json!({"role": "assistant", "content": null, "refusal": null, "annotations": [], "reasoning_content": "why",
            "reasoning_details": [{"type": "reasoning.encrypted", "data": "abc\u{0}"}],
            "tool_calls": [{"id": "c", "index": 0, "type": "function", "extra_content": {"google": {"thought_signature": "s"}},
                "function": {"name": "buy", "arguments": "{}", "thought_signature": "t"}}]}),
        "tool_calls",
    );

    let message = message(&body);

    assert_eq!(
        Value::Object(message.extra),
        json!({"reasoning_content": "why",
            "reasoning_details": [{"type": "reasoning.encrypted", "data": "abc\u{fffd}"}]})
    );
    assert_eq!(
        Value::Object(message.tool_calls[0].extra.clone()),
        json!({"extra_content": {"google": {"thought_signature": "s"}}, "function": {"thought_signature": "t"}})
    );
}

#[test]
fn the_text_and_the_calls_may_be_in_different_choices() {
    let call = json!([{"id": "c", "function": {"name": "buy", "arguments": "{}"}}]);
    let body = json!({"choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {"content": "I buy. <FINISH_SIGNAL>"}},
        {"index": 1, "finish_reason": "tool_calls", "message": {"content": null, "tool_calls": call}},
    ]});

    let message = message(&body);

    assert_eq!((message.content.as_str(), message.tool_calls.len()), ("I buy. <FINISH_SIGNAL>", 1));
    assert!(!message.done, "the result of the call is not known yet");
}

#[test]
fn only_what_the_model_says_at_its_end_ends_the_day() {
    let done = |content: &str| message(&reply(json!({"content": content}), "stop")).done;

    assert!(done("<think>shall I?</think>That is all. <FINISH_SIGNAL>"));
    assert!(!done("<think>then I write <FINISH_SIGNAL></think>I look first."));
    assert!(!done("then I write <FINISH_SIGNAL></think>I look first."));
    assert!(!done("<think>then I write <FINISH_SIGNAL>"));
}

#[test]
fn calls_in_the_text_are_run_unless_there_are_structured_ones() {
    let text = "<think>hm</think><tool_call>{\"name\": \"buy\", \"arguments\": {\"amount\": 1}}</tool_call>";
    let written = message(&reply(json!({"content": text}), "stop"));
    let both = message(&reply(
        json!({"content": text, "tool_calls": [{"id": "c", "function": {"name": "sell", "arguments": "{}"}}]}),
        "tool_calls",
    ));

    assert_eq!((written.tool_calls[0].name.as_str(), written.content.as_str()), ("buy", ""));
    assert_eq!(both.tool_calls.len(), 1);
    assert_eq!((both.tool_calls[0].name.as_str(), both.content.as_str()), ("sell", text));
}

#[test]
fn arguments_and_names_are_taken_out_of_what_surrounds_them() {
    let called = |name: &str, arguments: Value| {
        let call = message(&calls(json!([{"id": "c", "function": {"name": name, "arguments": arguments}}])));
        (call.tool_calls[0].name.clone(), call.tool_calls[0].arguments.clone())
    };
    let plain = ("buy".to_owned(), "{\"amount\":5}".to_owned());

    assert_eq!(called("functions.buy", json!("\"{\\\"amount\\\":5}\"")), plain);
    assert_eq!(called("default_api:buy", json!("```json\n{\"amount\":5}\n```")), plain);
    assert_eq!(called("functions.buy:0", json!({"amount": 5})), plain);
    assert_eq!(called("tools.rob", json!("{\"amount\":5}")).0, "tools.rob");
}

#[test]
fn a_streamed_answer_is_read_all_the_same() {
    let events = [
        json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": null, "reasoning_content": "I "}}]}),
        json!({"choices": [{"index": 0, "delta": {"reasoning_content": "buy."}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "id": "a", "type": "function", "function": {"name": "buy", "arguments": "{\"amou"}}]}}]}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "function": {"arguments": "nt\":5}"}},
            {"index": 1, "id": "b", "function": {"name": "get_position", "arguments": "{}"}}]}}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}),
    ];
    let lines =
        |events: &[Value]| events.iter().map(|event| format!("data: {event}\n\n")).collect::<String>();
    let whole = format!(": ping\n\n{}data: [DONE]\n\n", lines(&events));

    let ModelResponse::Message(message) = classify(&raw(200, &[], whole.as_bytes())) else {
        panic!("no message")
    };

    let read: Vec<_> =
        message.tool_calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
    assert_eq!(read, [("buy", "{\"amount\":5}"), ("get_position", "{}")]);
    assert_eq!(message.tool_calls[0].id.as_deref(), Some("a"));
    assert_eq!((message.reasoning.as_deref(), message.usage.prompt), (Some("I buy."), Some(7)));
    let cut = failure(&raw(200, &[], lines(&events[..4]).as_bytes()));
    assert_eq!(cut.class, FailureClass::Malformed);
    let error =
        failure(&raw(200, &[], lines(&[json!({"error": {"code": 429, "message": "slow"}})]).as_bytes()));
    assert_eq!(error.class, FailureClass::Throttled);
}

#[test]
fn streamed_details_of_reasoning_are_put_together_by_their_places() {
    let piece = |details: Value| {
        let delta = json!({"reasoning_details": details});
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
    };
    let text = |text: &str| json!([{"type": "reasoning.text", "text": text, "format": "f-v1", "index": 0}]);
    let signed = json!([{"type": "reasoning.text", "signature": "s==", "format": "f-v1", "index": 0}]);
    let hidden = json!([{"type": "reasoning.encrypted", "data": "d", "format": "g-v1", "index": 1}]);
    let end =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
    let stream = [piece(text("h")), piece(text("m")), piece(signed), piece(hidden), end.to_owned()].concat();

    let ModelResponse::Message(message) = classify(&raw(200, &[], stream.as_bytes())) else { panic!() };

    assert_eq!(
        message.extra["reasoning_details"],
        json!([{"type": "reasoning.text", "text": "hm", "signature": "s==", "format": "f-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "d", "format": "g-v1", "index": 1}])
    );
}

#[test]
fn an_answer_without_choices_has_what_it_says() {
    let text = |body: Value| failure(&whole(200, BTreeMap::new(), body.to_string().into_bytes())).text;

    let balance =
        json!({"choices": null, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}});
    assert_eq!(text(balance), "the answer has no choices: insufficient balance");
    assert_eq!(
        text(json!({"code": 500, "msg": "404 NOT_FOUND"})),
        "the answer has no choices: 404 NOT_FOUND"
    );
    assert_eq!(text(json!({"object": "x"})), "the answer has no choices");
}

#[test]
fn reasons_for_an_end_are_those_of_every_endpoint() {
    let class = |reason: &str| {
        let body = json!({"choices": [{"message": {"content": "I"}, "finish_reason": reason}]});
        classify(&raw(200, &[], body.to_string().as_bytes())).class()
    };

    for reason in ["length", "MAX_TOKENS", "model_length"] {
        assert_eq!(class(reason), "truncated", "{reason}");
    }
    for reason in ["content_filter", "SAFETY", "sensitive", "PROHIBITED_CONTENT"] {
        assert_eq!(class(reason), "refused", "{reason}");
    }
    for reason in ["error", "network_error", "insufficient_system_resource", "abort"] {
        assert_eq!(class(reason), "server_error", "{reason}");
    }
    for reason in ["stop", "eos", "tool_calls", "end_turn", ""] {
        assert_eq!(class(reason), "final", "{reason}");
    }
}

#[test]
fn thoughts_among_the_parts_of_a_content_are_not_said() {
    let parts = json!([{"type": "reasoning", "text": "I end with <FINISH_SIGNAL>."},
        {"type": "thinking", "thinking": [{"type": "text", "text": "<FINISH_SIGNAL>"}]},
        {"type": "text", "text": "First I buy."}]);
    let body = json!({"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]});

    let ModelResponse::Message(message) = classify(&raw(200, &[], body.to_string().as_bytes())) else {
        panic!()
    };

    assert_eq!((message.content.as_str(), message.done), ("First I buy.", false));
}

#[test]
fn a_gateway_s_error_has_the_cause() {
    let error = |raw: Value| {
        let body =
            json!({"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": raw}}});
        failure(&whole(400, BTreeMap::new(), body.to_string().into_bytes())).text
    };

    assert_eq!(error(json!("no such tool")), "Provider returned error: no such tool");
    assert_eq!(error(json!({"a": 1})), "Provider returned error: {\"a\":1}");
    assert_eq!(error(json!(null)), "Provider returned error");
}

#[test]
fn the_wait_may_stand_in_the_body() {
    let check = |error: Value, expected: Option<u64>| {
        let waited = failure(&raw(429, &[], json!({"error": error}).to_string().as_bytes())).retry_after;
        assert_eq!(waited, expected.map(Duration::from_millis), "{error}");
    };

    check(
        json!({"details": [{"@type": "x"}, {"retryDelay": "8.5s"}], "message": "try again in 3s"}),
        Some(8_500),
    );
    check(json!({"message": "Rate limit reached. Please try again in 1m20.5s. Visit"}), Some(80_500));
    check(json!({"message": "Please try again in 250ms."}), Some(250));
    check(json!({"message": "Please retry after 12 seconds."}), Some(12_000));
    check(json!({"message": "Too many requests, please wait 20 seconds."}), Some(20_000));
    check(json!({"message": "Quota exceeded. It resets in 1h2m."}), Some(3_720_000));
    check(json!({"retry_after": 8.5, "message": "slow"}), Some(8_500));
    check(json!({"retryAfterMs": 250, "message": "slow"}), Some(250));
    check(json!({"metadata": {"headers": {"Retry-After": "12"}}, "message": "slow"}), Some(12_000));
    check(json!({"message": "Please wait a moment"}), None);
    check(json!({"message": "Please try again in a while"}), None);
    check(json!({"message": "Please try again later"}), None);
}
