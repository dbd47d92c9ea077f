use domain::agent::response::ToolCall;

use super::*;

const KEY: &str = "correct-horse-battery";

fn secrets() -> Secrets {
    Secrets::new([KEY.to_owned()])
}

fn request() -> ModelRequest {
    ModelRequest { step: 1, body: "{\"date\":\"2025-10-02\"}".to_owned(), max_completion_tokens: None }
}

/// A message as it is stored.
fn stored(message: &Value) -> Message {
    serde_json::from_value(message.clone()).unwrap()
}

fn shown_of(messages: Vec<Message>) -> Vec<Value> {
    shown(&Transcript { messages }, &request(), &secrets())
}

#[test]
fn a_conversation_has_the_form_of_the_conventions() {
    let messages = shown_of(vec![
        stored(&json!({ "role": "system", "step": 0, "content": "Trade." })),
        stored(
            &json!({ "role": "assistant", "step": 1, "content": "", "reasoning": "Look first.", "tool_calls": 1 }),
        ),
        stored(
            &json!({ "role": "tool", "step": 1, "index": 0, "content": "{\"cash\":10}", "name": "get_position",
            "arguments": "{\"date\":\"2025-10-02\"}", "call_id": "abcdefghi" }),
        ),
    ]);

    assert_eq!(
        Value::Array(messages),
        json!([
            { "role": "system", "parts": [{ "type": "text", "content": "Trade." }] },
            { "role": "assistant", "parts": [
                { "type": "reasoning", "content": "Look first." },
                { "type": "tool_call", "id": "abcdefghi", "name": "get_position",
                  "arguments": { "date": "2025-10-02" } },
            ] },
            { "role": "tool", "parts": [
                { "type": "tool_call_response", "id": "abcdefghi", "response": "{\"cash\":10}" },
            ] },
        ])
    );
}

#[test]
fn an_answer_says_why_it_ended_and_keeps_arguments_that_are_no_object() {
    let buy = ToolCall {
        id: Some("c1".to_owned()),
        name: "buy".to_owned(),
        arguments: "AAPL".to_owned(),
        extra: Default::default(),
    };
    let message = AssistantMessage { tool_calls: vec![buy], ..AssistantMessage::empty() };

    assert_eq!(
        answer(&message, &secrets()),
        json!({ "role": "assistant", "finish_reason": "tool_call", "parts": [
            { "type": "tool_call", "id": "c1", "name": "buy", "arguments": "AAPL" },
        ] })
    );
    assert_eq!(answer(&AssistantMessage::empty(), &secrets())["finish_reason"], "stop");
}

#[test]
fn the_request_of_a_users_own_agent_is_its_message() {
    let messages = shown_of(Vec::new());

    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["parts"][0]["content"], "{\"date\":\"2025-10-02\"}");
}

#[test]
fn no_key_is_left_not_even_half_of_one_at_the_cut() {
    let long = format!("{}{KEY} and {KEY}", "x".repeat(MAX_TEXT - 5));
    let messages = shown_of(vec![
        stored(&json!({ "role": "user", "step": 0, "content": long })),
        stored(&json!({ "role": "assistant", "step": 1, "content": KEY, "reasoning": KEY })),
        stored(&json!({ "role": "tool", "step": 1, "index": 0, "content": KEY, "name": KEY,
            "arguments": format!("{{\"key\":\"{KEY}\"}}"), "call_id": "c" })),
    ]);
    let text = Value::Array(messages).to_string();

    assert!(!text.contains("correct"), "{text}");
    assert!(text.contains("[redacted]") && text.contains("more bytes are left out"), "{text}");
}

#[test]
fn of_a_long_conversation_the_newest_messages_are_shown() {
    let said = |step: usize| {
        let content = format!("{step} {}", "ä".repeat(3_000));
        stored(&json!({ "role": "user", "step": step, "content": content }))
    };

    let messages = shown_of((0..40).map(said).collect());

    let text = Value::Array(messages.clone()).to_string();
    assert!(text.len() < MAX_MESSAGES + 200 && text.len() > MAX_MESSAGES / 2, "{}", text.len());
    let note = messages[0]["parts"][0]["content"].as_str().unwrap();
    assert_eq!(note, format!("[{} earlier messages are left out]", 41 - messages.len()));
    let last = messages.last().unwrap()["parts"][0]["content"].as_str().unwrap();
    assert!(last.starts_with("39 ä"), "{last}");
}
