//! What providers of chat completions refuse.

use serde_json::{Value, json};

use super::chat::reasoning_details;
use super::{Provider, Refusal, thought, unknown};
use crate::chat::completion::{ChatRequest, invalid};

/// Members of a request that all of them know.
const MEMBERS: [&str; 6] = ["messages", "model", "stream", "temperature", "tools", "top_p"];
const MESSAGE: [&str; 4] = ["content", "role", "tool_call_id", "tool_calls"];

/// Why the request is refused, if it is.
pub(super) fn refusal(provider: Provider, request: &ChatRequest, body: &Value) -> Option<Refusal> {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let common = unknown_member(provider, body, messages).or_else(|| unanswered(provider, messages));
    let steps = messages.iter().enumerate().filter(|(_, message)| message["role"] == "assistant").zip(0..);
    let mut steps = steps.map(|((place, message), step)| (place, message, thought(request, step)));
    common.or_else(|| steps.find_map(|(place, message, thought)| own(provider, place, message, &thought)))
}

/// What only this provider refuses in a message of the model.
fn own(provider: Provider, place: usize, message: &Value, thought: &str) -> Option<Refusal> {
    let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let reasons = message["reasoning_content"] == thought;
    let text = match provider {
        Provider::Gemini => {
            let signature = calls.first()?.pointer("/extra_content/google/thought_signature");
            let name = calls.first()?.pointer("/function/name").and_then(Value::as_str).unwrap_or_default();
            (signature != Some(&json!(thought))).then(|| {
                format!(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to \
                     work correctly. Additional data, function call `default_api:{name}`, position {place}."
                )
            })
        }
        Provider::OpenRouter => (message["reasoning_details"] != reasoning_details(thought))
            .then(|| format!("messages.{place}.content.0: Invalid `signature` in `thinking` block")),
        Provider::DeepSeek => (!calls.is_empty() && !reasons).then(|| {
            format!("Missing `reasoning_content` field in the assistant message at message index {place}.")
        }),
        Provider::Kimi => (!calls.is_empty() && !reasons).then(|| {
            format!(
                "thinking is enabled but reasoning_content is missing in assistant tool call message at index {place}"
            )
        }),
        Provider::Mistral => calls.iter().find_map(|call| {
            let id = call["id"].as_str().unwrap_or_default();
            let fits = id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric());
            (!fits).then(|| format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."))
        }),
        Provider::Hermes | Provider::Qwen => calls.iter().find_map(|call| {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            let read = serde_json::from_str::<Value>(arguments);
            (!read.is_ok_and(|read| read.is_object())).then(|| "Can only get item pairs from a mapping.".to_owned())
        }),
        Provider::OpenAi | Provider::Gateway | Provider::Anthropic | Provider::Responses => None,
    };
    Some(in_form(provider, &text?))
}

/// A member of the request or of a message that the provider does not know.
fn unknown_member(provider: Provider, body: &Value, messages: &[Value]) -> Option<Refusal> {
    let (of_request, of_message, of_call): (&[&str], &[&str], &[&str]) = match provider {
        Provider::OpenAi => (&["max_completion_tokens", "reasoning_effort", "seed"], &["refusal"], &[]),
        Provider::Gemini => (&["max_completion_tokens", "reasoning_effort"], &[], &["extra_content"]),
        Provider::Mistral => (&["max_tokens", "random_seed"], &["prefix"], &["index"]),
        // The others ignore what they do not know.
        _ => return None,
    };
    let with = |known: &[&'static str], more: &[&'static str]| [known, more].concat();
    if let Some(name) = unknown(body, &with(&MEMBERS, of_request)) {
        return Some(of_unknown(provider, name));
    }
    messages.iter().enumerate().find_map(|(place, message)| {
        if let Some(name) = unknown(message, &with(&MESSAGE, of_message)) {
            return Some(of_unknown(provider, &format!("messages[{place}].{name}")));
        }
        let calls = message["tool_calls"].as_array().into_iter().flatten().enumerate();
        let mut names = calls.filter_map(|(index, call)| {
            Some((index, unknown(call, &with(&["function", "id", "type"], of_call))?))
        });
        let (index, name) = names.next()?;
        Some(of_unknown(provider, &format!("messages[{place}].tool_calls[{index}].{name}")))
    })
}

fn of_unknown(provider: Provider, path: &str) -> Refusal {
    match provider {
        Provider::Mistral => {
            let detail = json!([{ "type": "extra_forbidden", "loc": ["body", path],
                "msg": "Extra inputs are not permitted" }]);
            Refusal { status: 422, body: json!({ "detail": detail }) }
        }
        Provider::Gemini => {
            let text = format!("Invalid JSON payload received. Unknown name \"{path}\": Cannot find field.");
            in_form(provider, &text)
        }
        _ => in_form(provider, &format!("Unknown parameter: '{path}'.")),
    }
}

/// A call without its result, a result without its call, or an id that is used twice.
fn unanswered(provider: Provider, messages: &[Value]) -> Option<Refusal> {
    let mut open: Vec<&str> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            match open.iter().position(|call| *call == id) {
                Some(place) => open.remove(place),
                None => {
                    let text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                    return Some(in_form(provider, text));
                }
            };
            continue;
        }
        if let Some(id) = open.first() {
            return Some(in_form(
                provider,
                &format!(
                    "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
                     'tool_call_id'. The following tool_call_ids did not have response messages: {id}"
                ),
            ));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().unwrap_or_default();
            if id.is_empty() || seen.contains(&id) {
                return Some(in_form(provider, "Invalid request: tool_call_id is not found"));
            }
            seen.push(id);
            open.push(id);
        }
    }
    None
}

/// An error 400 in the provider's form.
fn in_form(provider: Provider, text: &str) -> Refusal {
    let body = match provider {
        Provider::Gemini => {
            json!([{ "error": { "code": 400, "message": text, "status": "INVALID_ARGUMENT" } }])
        }
        Provider::OpenRouter => {
            let raw =
                json!({ "type": "error", "error": { "type": "invalid_request_error", "message": text } });
            json!({ "error": { "code": 400, "message": "Provider returned error",
                "metadata": { "raw": raw.to_string(), "provider_name": "Anthropic" } }, "user_id": "user_1" })
        }
        Provider::Mistral => {
            json!({ "object": "error", "message": text, "type": "invalid_request_error", "param": null, "code": "3280" })
        }
        Provider::Hermes | Provider::Qwen => {
            json!({ "error": { "message": text, "type": "BadRequestError", "param": null, "code": 400 } })
        }
        _ => invalid(text),
    };
    Refusal { status: 400, body }
}
