//! A conversation as the body of a request of Anthropic's Messages API.

use serde_json::{Map, Value, json};

use super::messages_response::CONTENT;
use super::{past_call, sampling};
use crate::agent::settings::{AgentSettings, Sampling};
use crate::agent::tool::{Tool, parameters};
use crate::agent::transcript::{Message, Role, Transcript};

/// The limit of a response's tokens when the settings have none: the protocol requires one.
const DEFAULT_LIMIT: u64 = 8_192;

/// The limit of a response's tokens: the setting, else `max_tokens` in `extra`, else the default beyond the budget of
/// thinking, which has to be smaller than the limit.
pub(super) fn limit(sampling: &Sampling) -> u64 {
    let extra = |name: &str| sampling.extra.get(name);
    let thinking = extra("thinking").and_then(|thinking| thinking.get("budget_tokens")?.as_u64());
    let configured = sampling.max_completion_tokens.or_else(|| extra("max_tokens")?.as_u64());
    configured.unwrap_or_else(|| DEFAULT_LIMIT.saturating_add(thinking.unwrap_or_default()))
}

/// The body.
pub(super) fn request(
    settings: &AgentSettings,
    transcript: &Transcript,
    max_completion_tokens: Option<u64>,
    is_restated: bool,
) -> String {
    let mut body = sampling::body(settings);
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("max_tokens", Value::from(max_completion_tokens.unwrap_or(DEFAULT_LIMIT)));
    set("tools", Tool::offered(settings.search).map(|tool| definition(tool, is_restated)).collect());
    let system = transcript.messages.iter().filter(|message| message.role == Role::System);
    set("system", system.map(|message| cached(text(&message.content))).collect());
    set("messages", Value::Array(messages(transcript)));
    Value::Object(body).to_string()
}

fn definition(tool: Tool, is_restated: bool) -> Value {
    json!({"name": tool.name(), "description": tool.description(is_restated), "input_schema": parameters(tool)})
}

fn messages(transcript: &Transcript) -> Vec<Value> {
    let kept = transcript.messages.iter().filter(|kept| kept.class.is_none_or(|class| class.is_kept()));
    let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in kept {
        match message.role {
            // The results of a message's calls stand together in one message after it.
            Role::System | Role::Tool => {}
            Role::User => messages.push(("user", vec![text(&message.content)])),
            Role::Assistant => {
                messages.push(("assistant", content(message, transcript)));
                let results: Vec<Value> = transcript.tool_results_of(message.step).map(result).collect();
                if !results.is_empty() {
                    messages.push(("user", results));
                }
            }
        }
    }
    // What was read up to here need not be read again in the next request.
    if let Some(last) = messages.last_mut().and_then(|(_, content)| content.last_mut()) {
        *last = cached(last.take());
    }
    let message = |(role, content): (&str, Vec<Value>)| json!({"role": role, "content": content});
    messages.into_iter().map(message).collect()
}

/// The content of a model's message: its blocks as they came, thoughts with their signatures included.
fn content(message: &Message, transcript: &Transcript) -> Vec<Value> {
    let said = [text(&message.content)];
    let came = message.extra.get(CONTENT).and_then(Value::as_array);
    let blocks = match came {
        Some(blocks) => blocks.as_slice(),
        None if message.content.trim().is_empty() => &[],
        None => &said,
    };
    let is_call = |block: &Value| block["type"] == "tool_use";
    past_call::with_results(blocks, transcript.tool_results_of(message.step), is_call, |mut block, result| {
        block.insert("type".to_owned(), Value::from("tool_use"));
        block.insert("id".to_owned(), Value::from(result.call_id.as_deref()));
        block.insert("name".to_owned(), Value::from(past_call::name(result)));
        block.insert("input".to_owned(), Value::Object(past_call::arguments(result)));
        Value::Object(block)
    })
}

fn result(result: &Message) -> Value {
    json!({"type": "tool_result", "tool_use_id": result.call_id, "content": result.content})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// The block as the end of what the endpoint keeps in its cache.
fn cached(block: Value) -> Value {
    let mut members = match block {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
    Value::Object(members)
}
