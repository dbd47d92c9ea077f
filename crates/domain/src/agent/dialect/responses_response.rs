//! The message in a response of OpenAI's Responses API.

use serde_json::{Map, Value};

use super::{chat_call, text_calls};
use crate::agent::json::{printable, printable_value};
use crate::agent::response::{AssistantMessage, Failure, FailureClass, Finish, ToolCall};
use crate::agent::usage::Usage;

/// Where a message keeps its items as they came, to be sent back.
pub(super) const OUTPUT: &str = "output";

/// The message: what the items of the output say, reason and call.
///
/// # Errors
/// When there is no output: the endpoint failed without reporting it, or has another protocol.
pub(super) fn message(body: &Value) -> Result<AssistantMessage, Failure> {
    let failed = |text: &str| Failure::new(FailureClass::ServerError, text);
    let status = body.get("status").and_then(Value::as_str).unwrap_or_default();
    if matches!(status, "failed" | "cancelled") {
        return Err(failed(&format!("the answer is {status}")));
    }
    let items =
        body.get("output").and_then(Value::as_array).ok_or_else(|| failed("the answer has no output"))?;
    let of_kind = |kind: &'static str| items.iter().filter(move |item| item["type"] == kind);
    let (content, refusal) = (texts(of_kind("message"), "text"), texts(of_kind("message"), "refusal"));
    let summary: String = of_kind("reasoning").flat_map(|item| parts(item, "summary", "text")).collect();
    let reasoning = if summary.is_empty() { texts(of_kind("reasoning"), "text") } else { summary };
    Ok(text_calls::understood(AssistantMessage {
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        tool_calls: of_kind("function_call").map(tool_call).collect(),
        finish: if refusal.is_empty() { finish(body) } else { Finish::ContentFilter },
        content: if content.is_empty() { refusal } else { content },
        usage: body.get("usage").map(Usage::from_json).unwrap_or_default(),
        extra: Map::from_iter([(OUTPUT.to_owned(), items.iter().map(printable_value).collect())]),
        ..AssistantMessage::empty()
    }))
}

/// The texts called `name` in the content of these items.
fn texts<'i>(items: impl Iterator<Item = &'i Value>, name: &'static str) -> String {
    items.flat_map(|item| parts(item, "content", name)).collect()
}

fn parts<'i>(item: &'i Value, list: &str, name: &'static str) -> impl Iterator<Item = String> + use<'i> {
    let parts = item.get(list).and_then(Value::as_array).into_iter().flatten();
    parts.filter_map(move |part| part.get(name)?.as_str().map(printable))
}

fn tool_call(item: &Value) -> ToolCall {
    // The item has an id of its own; results name the call's. The other members are kept with the item.
    let id = item.get("call_id").and_then(Value::as_str).map(printable).filter(|id| !id.is_empty());
    ToolCall { id, extra: Map::new(), ..chat_call::tool_call(item) }
}

fn finish(body: &Value) -> Finish {
    let reason = body.pointer("/incomplete_details/reason").and_then(Value::as_str).unwrap_or_default();
    match (body.get("status").and_then(Value::as_str), reason) {
        (Some("incomplete"), "content_filter") => Finish::ContentFilter,
        (Some("incomplete"), _) => Finish::Length,
        _ => Finish::Stop,
    }
}
