//! The message in a response of Anthropic's Messages API.

use serde_json::{Map, Value};

use super::{chat_call, text_calls};
use crate::agent::json::{printable, printable_value};
use crate::agent::response::{AssistantMessage, Failure, FailureClass, Finish, ToolCall};
use crate::agent::usage::Usage;

/// Where a message keeps its blocks as they came, to be sent back.
pub(super) const CONTENT: &str = "content";

/// The message: the texts of its blocks, its thoughts and its calls.
///
/// # Errors
/// When there is no content: the endpoint failed without reporting it, or has another protocol.
pub(super) fn message(body: &Value) -> Result<AssistantMessage, Failure> {
    let no_content = || Failure::new(FailureClass::ServerError, "the answer has no content");
    let blocks = body.get("content").and_then(Value::as_array).ok_or_else(no_content)?;
    let of_kind = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
    let texts = |kind, name: &'static str| -> String {
        of_kind(kind).filter_map(|block| block.get(name)?.as_str()).map(printable).collect()
    };
    let reasoning = texts("thinking", "thinking");
    // Blank texts are refused when they come back.
    let is_blank = |block: &&Value| {
        let is_text = block["type"] == "text";
        is_text && block["text"].as_str().is_none_or(|text| text.trim().is_empty())
    };
    let kept: Value = blocks.iter().filter(|block| !is_blank(block)).map(printable_value).collect();
    Ok(text_calls::understood(AssistantMessage {
        content: texts("text", "text"),
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        tool_calls: of_kind("tool_use").map(tool_call).collect(),
        finish: finish(body.get("stop_reason").and_then(Value::as_str).unwrap_or_default()),
        usage: body.get("usage").map(Usage::from_messages_json).unwrap_or_default(),
        extra: Map::from_iter([(CONTENT.to_owned(), kept)]),
        ..AssistantMessage::empty()
    }))
}

fn tool_call(block: &Value) -> ToolCall {
    // The other members are kept with the block.
    ToolCall { extra: Map::new(), ..chat_call::tool_call(block) }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}
