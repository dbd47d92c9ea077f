//! A conversation as the body of a request of OpenAI's Responses API.

use serde_json::{Value, json};

use super::responses_response::OUTPUT;
use super::{past_call, sampling};
use crate::agent::settings::AgentSettings;
use crate::agent::tool::{Tool, parameters};
use crate::agent::transcript::{Message, Role, Transcript};

/// The body. The endpoint stores nothing: every request has the whole conversation, with the model's reasoning in the
/// encrypted form that the endpoint returns.
pub(super) fn request(
    settings: &AgentSettings,
    transcript: &Transcript,
    max_completion_tokens: Option<u64>,
    is_restated: bool,
) -> String {
    let mut body = sampling::body(settings);
    // Endpoints that do not know these can be spared them in the settings.
    body.entry("store").or_insert(Value::from(false));
    body.entry("include").or_insert(json!(["reasoning.encrypted_content"]));
    let mut set = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
    set("max_output_tokens", max_completion_tokens.map(Value::from));
    set("tools", Some(Tool::offered(settings.search).map(|tool| definition(tool, is_restated)).collect()));
    let system = transcript.messages.iter().find(|message| message.role == Role::System);
    set("instructions", system.map(|message| Value::from(message.content.as_str())));
    set("input", Some(input(transcript)));
    Value::Object(body).to_string()
}

fn definition(tool: Tool, is_restated: bool) -> Value {
    json!({"type": "function", "name": tool.name(), "description": tool.description(is_restated),
        "parameters": parameters(tool), "strict": false})
}

fn input(transcript: &Transcript) -> Value {
    let kept = transcript.messages.iter().filter(|kept| kept.class.is_none_or(|class| class.is_kept()));
    let mut items = Vec::new();
    for message in kept {
        match message.role {
            Role::System => {}
            Role::User => items.push(said("user", message)),
            Role::Assistant => items.extend(output(message, transcript)),
            Role::Tool => {
                let output = message.content.as_str();
                items.push(
                    json!({"type": "function_call_output", "call_id": message.call_id, "output": output}),
                );
            }
        }
    }
    Value::Array(items)
}

fn said(role: &str, message: &Message) -> Value {
    json!({"role": role, "content": message.content})
}

/// The items of a model's message as they came, reasoning included.
fn output(message: &Message, transcript: &Transcript) -> Vec<Value> {
    let said = [said("assistant", message)];
    let came = message.extra.get(OUTPUT).and_then(Value::as_array);
    let items = match came {
        Some(items) => items.as_slice(),
        None if message.content.is_empty() => &[],
        None => &said,
    };
    let is_call = |item: &Value| item["type"] == "function_call";
    past_call::with_results(items, transcript.tool_results_of(message.step), is_call, |mut item, result| {
        item.insert("type".to_owned(), Value::from("function_call"));
        item.insert("call_id".to_owned(), Value::from(result.call_id.as_deref()));
        item.insert("name".to_owned(), Value::from(past_call::name(result)));
        let arguments = Value::from(past_call::arguments(result)).to_string();
        item.insert("arguments".to_owned(), Value::from(arguments));
        Value::Object(item)
    })
}
