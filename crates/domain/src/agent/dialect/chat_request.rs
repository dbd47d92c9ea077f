//! A conversation as the body of a chat-completions request.

use serde_json::{Map, Value, json};

use super::{past_call, sampling};
use crate::agent::settings::AgentSettings;
use crate::agent::tool;
use crate::agent::transcript::{Message, Role, Transcript};

/// The body.
pub(super) fn request(
    settings: &AgentSettings,
    transcript: &Transcript,
    max_completion_tokens: Option<u64>,
    is_restated: bool,
) -> String {
    let mut body = sampling::body(settings);
    let mut set = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
    set("seed", settings.sampling.seed.map(Value::from));
    set("max_completion_tokens", max_completion_tokens.map(Value::from));
    set("tools", Some(tool::definitions(settings.search, is_restated)));
    set("messages", Some(messages(transcript)));
    Value::Object(body).to_string()
}

fn messages(transcript: &Transcript) -> Value {
    let kept = transcript.messages.iter().filter(|kept| kept.class.is_none_or(|class| class.is_kept()));
    kept.map(|kept| message(kept, transcript)).collect()
}

fn message(message: &Message, transcript: &Transcript) -> Value {
    let content = message.content.as_str();
    match message.role {
        Role::System | Role::User => json!({"role": message.role.as_str(), "content": content}),
        Role::Tool => json!({"role": "tool", "tool_call_id": message.call_id, "content": content}),
        Role::Assistant => {
            let calls: Vec<Value> = transcript.tool_results_of(message.step).map(call).collect();
            let mut body = message.extra.clone();
            body.insert("role".to_owned(), Value::from("assistant"));
            let is_silent = content.is_empty() && !calls.is_empty();
            body.insert("content".to_owned(), if is_silent { Value::Null } else { Value::from(content) });
            if !calls.is_empty() {
                body.insert("tool_calls".to_owned(), Value::from(calls));
            }
            Value::Object(body)
        }
    }
}

fn call(result: &Message) -> Value {
    let mut call = result.extra.clone();
    let mut function = match call.remove("function") {
        Some(Value::Object(members)) => members,
        Some(_) | None => Map::new(),
    };
    let arguments = Value::from(past_call::arguments(result)).to_string();
    function.insert("name".to_owned(), Value::from(past_call::name(result)));
    function.insert("arguments".to_owned(), Value::from(arguments));
    call.insert("id".to_owned(), Value::from(result.call_id.as_deref()));
    call.insert("type".to_owned(), Value::from("function"));
    call.insert("function".to_owned(), Value::Object(function));
    Value::Object(call)
}
