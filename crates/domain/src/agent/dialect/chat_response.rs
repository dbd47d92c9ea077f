//! The message in a chat-completions response, in the variants that endpoints send.

use serde_json::Value;

use super::chat_call::{others, tool_call};
use super::text_calls;
use crate::agent::json::{bounded, printable};
use crate::agent::response::{AssistantMessage, Failure, FailureClass, Finish, ToolCall};
use crate::agent::usage::Usage;

/// Most characters of what a body without choices says.
const MAX_SAID: usize = 400;

/// The message of all choices: some endpoints put a message's text into one choice, and its tool calls into another.
///
/// # Errors
/// When there is no list of choices: the endpoint failed without reporting it.
pub(super) fn message(body: &Value) -> Result<AssistantMessage, Failure> {
    let usage = body.get("usage").map(Usage::from_json).unwrap_or_default();
    let no_choices = || Failure::new(FailureClass::ServerError, &without_choices(body));
    let choices = body.get("choices").and_then(Value::as_array).ok_or_else(no_choices)?;
    let mut messages = choices.iter().map(|choice| of_choice(body, choice));
    let mut whole = messages.next().unwrap_or_else(AssistantMessage::empty);
    for other in messages {
        if whole.tool_calls.is_empty() && !other.tool_calls.is_empty() {
            whole.tool_calls = other.tool_calls;
            whole.finish = other.finish;
            whole.extra.extend(other.extra);
        }
    }
    Ok(AssistantMessage { usage, ..text_calls::understood(whole) })
}

/// What a body says that has no choices: some gateways report an error as a success of another form.
fn without_choices(body: &Value) -> String {
    let places =
        ["/message", "/msg", "/detail", "/error_description", "/base_resp/status_msg", "/errors/0/message"];
    let said = places.iter().find_map(|place| body.pointer(place)?.as_str()).filter(|said| !said.is_empty());
    match said {
        Some(said) => format!("the answer has no choices: {}", bounded(&printable(said), MAX_SAID)),
        None => "the answer has no choices".to_owned(),
    }
}

fn of_choice(body: &Value, choice: &Value) -> AssistantMessage {
    let message = choice.get("message").unwrap_or(&Value::Null);
    let content = message.get("content").map(text).unwrap_or_default();
    let refusal = message.get("refusal").map(text).unwrap_or_default();
    let reasoning = ["reasoning_content", "reasoning"].iter().find_map(|name| message.get(name)).map(text);
    let finish = match (refusal.is_empty(), choice.get("finish_reason").and_then(Value::as_str)) {
        (false, _) => Finish::ContentFilter,
        (true, reason) => finish(reason.unwrap_or_default()),
    };
    AssistantMessage {
        content: if content.is_empty() { refusal } else { content },
        reasoning: reasoning.filter(|text| !text.is_empty()),
        tool_calls: tool_calls(body, choice, message),
        finish,
        extra: others(message, &["role", "content", "refusal", "tool_calls", "function_call"]),
        ..AssistantMessage::empty()
    }
}

fn finish(reason: &str) -> Finish {
    match reason.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" | "max_output_tokens" | "model_length" | "max_length" => Finish::Length,
        "content_filter"
        | "content_filtered"
        | "safety"
        | "refusal"
        | "prohibited_content"
        | "recitation"
        | "blocklist"
        | "spii"
        | "sensitive"
        | "guardrail_intervened" => Finish::ContentFilter,
        // Calls of tools are seen by the calls, not by the reason: endpoints mix the reasons up.
        _ => Finish::Stop,
    }
}

/// Text, or the texts of a list of parts.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(parts) => {
            let part = |part: &Value| part.get("text").or(Some(part))?.as_str().map(printable);
            parts.iter().filter(|part| !is_thought(part)).filter_map(part).collect()
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// Whether a part of the content is reasoning, which is not said.
fn is_thought(part: &Value) -> bool {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.starts_with("reasoning") || kind.starts_with("thinking") || kind == "thought"
}

/// The calls of tools: in the message, or where some proxies put them, or in the older form `function_call`.
fn tool_calls(body: &Value, choice: &Value, message: &Value) -> Vec<ToolCall> {
    let places = [message, choice, body];
    let lists = places.iter().filter_map(|place| place.get("tool_calls"));
    let mut calls = lists.map(listed).find(|calls| !calls.is_empty()).unwrap_or_default();
    if calls.is_empty() {
        let legacy = places.iter().filter_map(|place| place.get("function_call"));
        calls.extend(legacy.filter(|call| call.is_object()).map(tool_call).next());
    }
    calls
}

fn listed(calls: &Value) -> Vec<ToolCall> {
    match calls {
        Value::Array(calls) => calls.iter().map(tool_call).collect(),
        Value::Object(_) => vec![tool_call(calls)],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
