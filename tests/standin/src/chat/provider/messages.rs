//! Anthropic's Messages API.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{Refusal, Step, thought, unknown};
use crate::chat::completion::ChatRequest;

const MEMBERS: [&str; 9] =
    ["max_tokens", "messages", "model", "stream", "system", "temperature", "thinking", "tools", "top_p"];
/// Ends of what is cached that a request may mark.
const MAX_MARKS: usize = 4;

/// The request in the form of chat completions.
pub(super) fn as_chat(body: &Value) -> Option<Value> {
    let text = |block: &Value| block["text"].as_str().map(str::to_owned);
    let system: String = body["system"].as_array()?.iter().filter_map(text).collect();
    let mut messages = vec![json!({ "role": "system", "content": system })];
    for message in body["messages"].as_array()? {
        if message["role"] == "assistant" {
            messages.push(json!({ "role": "assistant" }));
            continue;
        }
        for block in message["content"].as_array()? {
            messages.push(match block["type"].as_str()? {
                "tool_result" => json!({ "role": "tool", "content": block["content"] }),
                _ => json!({ "role": "user", "content": block["text"] }),
            });
        }
    }
    Some(json!({ "model": body["model"], "messages": messages }))
}

/// The message of a step: a signed thought, then calls or text.
pub(super) fn response(step: &Step<'_>) -> Value {
    let (request, number) = (step.request, step.request.step);
    let mut content =
        vec![json!({ "type": "thinking", "thinking": "hm", "signature": thought(request, number) })];
    match step.tools {
        Some(tools) => content.extend(tools.iter().enumerate().map(|(index, tool)| {
            let input: Value = serde_json::from_str(&tool.arguments).unwrap_or_default();
            json!({ "type": "tool_use", "id": format!("toolu_{number}_{index}"), "name": tool.name, "input": input })
        })),
        None => content.push(json!({ "type": "text", "text": "Positions are updated. <FINISH_SIGNAL>" })),
    }
    let prompt = step.request_bytes / 4;
    // The steps before are in the cache.
    let read = if number == 0 { 0 } else { prompt / 2 };
    let written = prompt / 4;
    json!({
        "id": format!("msg_{}_{}_{number}", request.model, request.date),
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": content,
        "stop_reason": if step.tools.is_some() { "tool_use" } else { "end_turn" },
        "stop_sequence": null,
        "usage": { "input_tokens": prompt - read - written, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written, "output_tokens": 20 },
    })
}

/// Why the request is refused, if it is.
pub(super) fn refusal(request: &ChatRequest, body: &Value, headers: &HeaderMap) -> Option<Refusal> {
    if !headers.contains_key("x-api-key") {
        return Some(error(401, "authentication_error", "x-api-key header is required"));
    }
    let problem = if headers.contains_key("anthropic-version") {
        of_members(body)
            .or_else(|| of_messages(request, body["messages"].as_array()?, body.get("thinking").is_some()))
    } else {
        Some("anthropic-version: header is required".to_owned())
    };
    Some(error(400, "invalid_request_error", &problem?))
}

fn of_members(body: &Value) -> Option<String> {
    if let Some(name) = unknown(body, &MEMBERS) {
        return Some(format!("{name}: Extra inputs are not permitted"));
    }
    let Some(limit) = body["max_tokens"].as_u64() else {
        return Some("max_tokens: Field required".to_owned());
    };
    if body["thinking"]["budget_tokens"].as_u64().is_some_and(|budget| budget >= limit) {
        return Some("`max_tokens` must be greater than `thinking.budget_tokens`.".to_owned());
    }
    let marks = body.to_string().matches("\"cache_control\"").count();
    if marks > MAX_MARKS {
        return Some(format!("A maximum of 4 blocks with cache_control may be provided. Found {marks}."));
    }
    let tools = body["tools"].as_array().into_iter().flatten().enumerate();
    let mut schemas = tools.filter(|(_, tool)| !tool["input_schema"].is_object());
    schemas.next().map(|(place, _)| format!("tools.{place}.custom.input_schema: Field required"))
}

fn of_messages(request: &ChatRequest, messages: &[Value], thinks: bool) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut step = 0;
    for (place, message) in messages.iter().enumerate() {
        let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        if blocks.is_empty() {
            return Some(format!("messages.{place}: all messages must have non-empty content"));
        }
        let blank = |block: &&Value| {
            block["type"] == "text" && block["text"].as_str().is_none_or(|text| text.trim().is_empty())
        };
        if blocks.iter().any(|block| blank(&block)) {
            return Some("messages: text content blocks must contain non-whitespace text".to_owned());
        }
        let ids = |kind: &str, name: &str| -> Vec<&str> {
            let of_kind = blocks.iter().filter(|block| block["type"] == kind);
            of_kind.filter_map(|block| block[name].as_str()).collect()
        };
        let answered = ids("tool_result", "tool_use_id");
        if let Some(id) = open.iter().find(|id| !answered.contains(id)) {
            return Some(format!(
                "messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: {id}. Each \
                 `tool_use` block must have a corresponding `tool_result` block in the next message."
            ));
        }
        if let Some(id) = answered.iter().find(|id| !open.contains(id)) {
            return Some(format!(
                "messages.{place}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {id}"
            ));
        }
        open = ids("tool_use", "id");
        if message["role"] != "assistant" {
            continue;
        }
        if let Some(problem) = of_turn(place, blocks, &thought(request, step), thinks) {
            return Some(problem);
        }
        step += 1;
    }
    None
}

/// What is wrong with a message of the model that comes back.
fn of_turn(place: usize, blocks: &[Value], thought: &str, thinks: bool) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut calls = blocks.iter().filter(|block| block["type"] == "tool_use");
    if calls
        .any(|call| !call["id"].as_str().unwrap_or(" ").chars().all(allowed) || !call["input"].is_object())
    {
        return Some(format!(
            "messages.{place}.content.1.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        ));
    }
    let first = blocks.first()?;
    if thinks && first["type"] != "thinking" {
        return Some(format!(
            "messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{}`. When `thinking` \
             is enabled, a final `assistant` message must start with a thinking block",
            first["type"].as_str().unwrap_or_default()
        ));
    }
    let is_own = first["thinking"] == "hm" && first["signature"] == thought;
    (first["type"] == "thinking" && !is_own)
        .then(|| format!("messages.{place}.content.0: Invalid `signature` in `thinking` block"))
}

fn error(status: u16, kind: &str, message: &str) -> Refusal {
    let body =
        json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_1" });
    Refusal { status, body }
}
