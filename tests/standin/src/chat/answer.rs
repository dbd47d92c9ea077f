//! The wire form of answers, with usage.

use serde_json::{Value, json};

use super::script::Use;

/// What a request asks: its model, its date and how far its conversation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) date: String,
    pub(super) step: usize,
}

impl Asked {
    /// Reads a request; `None` when it is none.
    pub(super) fn of(body: &Value) -> Option<Self> {
        let messages = body.get("messages")?.as_array()?;
        let role = |role: &'static str| move |message: &&Value| message["role"] == role;
        let user = messages.iter().find(role("user"))?["content"].as_str()?;
        let (_, rest) = user.split_once('(')?;
        let (date, _) = rest.split_once(')')?;
        let step = messages.iter().filter(role("assistant")).count();
        Some(Self { model: body.get("model")?.as_str()?.to_owned(), date: date.to_owned(), step })
    }
}

/// The answer of a step: its tools, or the end of the day.
pub(super) fn completion(asked: &Asked, request_bytes: usize, uses: Option<&[Use]>) -> Value {
    let (message, finish_reason) = match uses {
        Some(uses) => {
            (json!({ "role": "assistant", "content": null, "tool_calls": calls(asked, uses) }), "tool_calls")
        }
        None => (json!({ "role": "assistant", "content": "Positions are updated. <FINISH_SIGNAL>" }), "stop"),
    };
    let prompt_tokens = request_bytes / 4;
    let completion_tokens = 20 + 15 * uses.map_or(0, <[Use]>::len);
    json!({
        "id": format!("chatcmpl-{}-{}-{}", asked.model, asked.date, asked.step),
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": asked.model,
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

/// The answer to a step of the agents' protocol: its tools, or the end of the day.
pub(super) fn step_answer(uses: Option<&[Use]>) -> Value {
    let call = |used: &Use| {
        let arguments: Value = serde_json::from_str(&used.arguments).unwrap_or_default();
        json!({ "name": used.name, "arguments": arguments })
    };
    let calls: Vec<Value> = uses.unwrap_or_default().iter().map(call).collect();
    json!({ "tool_calls": calls, "finish": uses.is_none() })
}

fn calls(asked: &Asked, uses: &[Use]) -> Vec<Value> {
    let call = |(index, used): (usize, &Use)| {
        json!({
            "id": format!("call_{}_{index}", asked.step),
            "type": "function",
            "function": { "name": used.name, "arguments": used.arguments },
        })
    };
    uses.iter().enumerate().map(call).collect()
}

/// What real endpoints say to a request that is none.
pub(super) fn invalid(message: &str) -> Value {
    json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": null } })
}
