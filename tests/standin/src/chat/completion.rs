//! Requests and responses in their wire form.

use serde_json::{Value, json};

use super::script::ToolCall;

/// Where a request stands: its model, its date and its step, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    pub(super) date: String,
    pub(super) step: usize,
}

impl ChatRequest {
    /// Reads a request; `None` when it is no request for a completion.
    pub(super) fn parse(body: &Value) -> Option<Self> {
        let messages = body.get("messages")?.as_array()?;
        let role = |role: &'static str| move |message: &&Value| message["role"] == role;
        let user = messages.iter().find(role("user"))?["content"].as_str()?;
        let (_, rest) = user.split_once('(')?;
        let (date, _) = rest.split_once(')')?;
        let step = messages.iter().filter(role("assistant")).count();
        Some(Self { model: body.get("model")?.as_str()?.to_owned(), date: date.to_owned(), step })
    }
}

/// The response to a request: tool calls, or the end of the day. A quarter of the request's bytes counts as prompt
/// tokens.
pub(super) fn completion(request: &ChatRequest, request_bytes: usize, tools: Option<&[ToolCall]>) -> Value {
    let (message, finish_reason) = match tools {
        Some(tools) => (
            json!({ "role": "assistant", "content": null, "tool_calls": calls(request, tools) }),
            "tool_calls",
        ),
        None => (json!({ "role": "assistant", "content": "Positions are updated. <FINISH_SIGNAL>" }), "stop"),
    };
    let prompt_tokens = request_bytes / 4;
    let completion_tokens = 20 + 15 * tools.map_or(0, <[ToolCall]>::len);
    json!({
        "id": format!("chatcmpl-{}-{}-{}", request.model, request.date, request.step),
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": request.model,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason }],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": { "cached_tokens": prompt_tokens / 2 },
            "completion_tokens_details": { "reasoning_tokens": 10 },
        },
    })
}

/// The response to a step of the agents' protocol: tool calls, or the end of the day.
pub(super) fn step_response(tools: Option<&[ToolCall]>) -> Value {
    let call = |tool: &ToolCall| {
        let arguments: Value = serde_json::from_str(&tool.arguments).unwrap_or_default();
        json!({ "name": tool.name, "arguments": arguments })
    };
    let calls: Vec<Value> = tools.unwrap_or_default().iter().map(call).collect();
    json!({ "tool_calls": calls, "finish": tools.is_none() })
}

fn calls(request: &ChatRequest, tools: &[ToolCall]) -> Vec<Value> {
    let call = |(index, tool): (usize, &ToolCall)| {
        json!({
            "id": format!("call_{}_{index}", request.step),
            "type": "function",
            "function": { "name": tool.name, "arguments": tool.arguments },
        })
    };
    tools.iter().enumerate().map(call).collect()
}

/// The response of real endpoints to a request that they cannot read.
pub(super) fn invalid(message: &str) -> Value {
    json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": null } })
}
