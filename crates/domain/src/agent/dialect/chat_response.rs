//! The message in a chat-completions response, in the variants that endpoints send.

use serde_json::Value;

use crate::agent::json::printable;
use crate::agent::prompt::STOP_TOKEN;
use crate::agent::response::{AssistantMessage, Failure, FailureClass, Finish, ToolCall};
use crate::agent::usage::Usage;

/// The message of the first choice.
///
/// # Errors
/// When there is no list of choices: the endpoint failed without reporting it.
pub(super) fn message(body: &Value) -> Result<AssistantMessage, Failure> {
    let usage = body.get("usage").map(Usage::from_json).unwrap_or_default();
    let no_choices = || Failure::new(FailureClass::ServerError, "the answer has no choices");
    let choices = body.get("choices").and_then(Value::as_array).ok_or_else(no_choices)?;
    let Some(choice) = choices.first() else {
        return Ok(AssistantMessage { usage, ..AssistantMessage::empty() });
    };
    let message = choice.get("message").unwrap_or(&Value::Null);
    let content = message.get("content").map(text).unwrap_or_default();
    let refusal = message.get("refusal").map(text).unwrap_or_default();
    let reasoning = ["reasoning_content", "reasoning"].iter().find_map(|name| message.get(name)).map(text);
    let finish = match (refusal.is_empty(), choice.get("finish_reason").and_then(Value::as_str)) {
        (false, _) => Finish::ContentFilter,
        (true, reason) => finish(reason.unwrap_or_default()),
    };
    Ok(AssistantMessage {
        done: content.contains(STOP_TOKEN),
        content: if content.is_empty() { refusal } else { content },
        reasoning: reasoning.filter(|text| !text.is_empty()),
        tool_calls: tool_calls(body, choice, message),
        finish,
        usage,
    })
}

fn finish(reason: &str) -> Finish {
    match reason.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" | "max_output_tokens" => Finish::Length,
        "content_filter" | "safety" | "refusal" | "prohibited_content" | "recitation" => {
            Finish::ContentFilter
        }
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
            parts.iter().filter_map(part).collect()
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
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

/// One call: `{id, function: {name, arguments}}`, or `{id, name, args}` as some proxies write it.
pub(super) fn tool_call(call: &Value) -> ToolCall {
    let inner = call.get("function").filter(|function| function.is_object()).unwrap_or(call);
    let name = [inner, call].iter().find_map(|place| place.get("name")?.as_str());
    let names = ["arguments", "args", "parameters", "input"];
    let arguments = names.iter().find_map(|name| inner.get(name).or_else(|| call.get(name)));
    ToolCall {
        id: call.get("id").and_then(Value::as_str).map(printable).filter(|id| !id.is_empty()),
        name: printable(name.unwrap_or_default()),
        arguments: match arguments {
            Some(Value::String(text)) => printable(text),
            Some(value) => value.to_string(),
            None => "{}".to_owned(),
        },
    }
}
