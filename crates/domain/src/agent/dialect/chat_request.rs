//! A conversation as the body of a chat-completions request.

use serde_json::{Map, Value, json};

use crate::agent::json::{object, printable};
use crate::agent::settings::AgentSettings;
use crate::agent::tool;
use crate::agent::transcript::{Message, Role, Transcript};

/// Endpoints refuse longer names of functions, and other characters in them.
const MAX_NAME: usize = 64;

/// The body. Its members are in alphabetical order, so that equal requests are equal bytes.
pub(crate) fn request(
    settings: &AgentSettings,
    transcript: &Transcript,
    max_completion_tokens: Option<u64>,
) -> String {
    let mut body: Map<String, Value> = settings.sampling.extra.clone().into_iter().collect();
    let sampling = &settings.sampling;
    let mut set = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
    // JSON keeps the decimal's own digits.
    let number = |text: String| serde_json::from_str(&text).ok();
    set("temperature", sampling.temperature.and_then(|value| number(value.to_string())));
    set("top_p", sampling.top_p.and_then(|value| number(value.to_string())));
    set("seed", sampling.seed.map(Value::from));
    set("max_completion_tokens", max_completion_tokens.map(Value::from));
    set("model", Some(Value::from(settings.basemodel.as_str())));
    set("tools", Some(tool::definitions(settings.search)));
    set("messages", Some(messages(transcript)));
    // Some gateways stream unless this is refused.
    set("stream", Some(Value::from(false)));
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
    let arguments = result.arguments.as_deref().unwrap_or_default();
    // Some endpoints parse the arguments of past calls and refuse a request where they are no object.
    let arguments =
        object(arguments).map_or_else(|_| "{}".to_owned(), |members| Value::from(members).to_string());
    let mut call = result.extra.clone();
    let mut function = match call.remove("function") {
        Some(Value::Object(members)) => members,
        Some(_) | None => Map::new(),
    };
    function.insert("name".to_owned(), Value::from(name(result.name.as_deref().unwrap_or_default())));
    function.insert("arguments".to_owned(), Value::from(arguments));
    call.insert("id".to_owned(), Value::from(result.call_id.as_deref()));
    call.insert("type".to_owned(), Value::from("function"));
    call.insert("function".to_owned(), Value::Object(function));
    Value::Object(call)
}

fn name(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = printable(text).chars().take(MAX_NAME).map(allowed).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}
