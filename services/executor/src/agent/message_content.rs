//! What is sent to a language model and what it answers, as attributes of spans: JSON in the form of OpenTelemetry's
//! conventions for generative AI. Without the keys in use, and bounded, since collectors refuse large requests.

use domain::agent::response::Finish;
use domain::agent::transcript::{Message, Role, Transcript};
use domain::agent::{AssistantMessage, ModelRequest, Secrets};
use runtime::telemetry;
use serde_json::{Value, json};
use tracing::Span;

/// Bytes of a text of a message; what is more is left out.
const MAX_TEXT: usize = 4 * 1024;
/// Bytes of the messages of a call; the oldest that are more are left out.
const MAX_MESSAGES: usize = 32 * 1024;

/// The messages that a call sends. `transcript` is empty for a user's own agent: its request has the day's facts.
pub(super) fn sent(span: &Span, transcript: &Transcript, request: &ModelRequest, secrets: &Secrets) {
    let messages = shown(transcript, request, secrets);
    telemetry::set_text(span, "gen_ai.input.messages", Value::Array(messages).to_string());
}

/// The message that came back.
pub(super) fn received(span: &Span, message: &AssistantMessage, secrets: &Secrets) {
    let said = answer(message, secrets);
    telemetry::set_text(span, "gen_ai.output.messages", Value::Array(vec![said]).to_string());
}

/// What a tool was called with, and its result.
pub(super) fn of_tool(span: &Span, result: &Message, secrets: &Secrets) {
    let arguments = arguments(result.arguments.as_deref().unwrap_or_default(), secrets);
    telemetry::set_text(span, "gen_ai.tool.call.arguments", arguments.to_string());
    telemetry::set_text(span, "gen_ai.tool.call.result", cut(&result.content, secrets));
}

/// The messages of a conversation as the conventions write them, the newest that fit.
fn shown(transcript: &Transcript, request: &ModelRequest, secrets: &Secrets) -> Vec<Value> {
    let kept = transcript.messages.iter().filter(|kept| kept.class.is_none_or(|class| class.is_kept()));
    let mut messages: Vec<Value> =
        kept.map(|message| of_conversation(message, transcript, secrets)).collect();
    if messages.is_empty() {
        messages.push(of(Role::User, vec![text(&request.body, secrets)]));
    }
    let mut left = MAX_MESSAGES;
    let fits = |message: &&Value| {
        let rest = left.checked_sub(message.to_string().len());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let omitted = messages.len() - messages.iter().rev().take_while(fits).count();
    let mut shown = messages.split_off(omitted);
    if omitted > 0 {
        let note = format!("[{omitted} earlier messages are left out]");
        shown.insert(0, of(Role::System, vec![text(&note, secrets)]));
    }
    shown
}

fn of_conversation(message: &Message, transcript: &Transcript, secrets: &Secrets) -> Value {
    let parts = match message.role {
        Role::System | Role::User => vec![text(&message.content, secrets)],
        Role::Tool => {
            let content = cut(&message.content, secrets);
            vec![json!({ "type": "tool_call_response", "id": message.call_id, "response": content })]
        }
        Role::Assistant => {
            let calls = transcript.tool_results_of(message.step).map(|result| {
                let (name, written) = (result.name.as_deref(), result.arguments.as_deref());
                call(
                    result.call_id.as_deref(),
                    name.unwrap_or_default(),
                    written.unwrap_or_default(),
                    secrets,
                )
            });
            said(message.reasoning.as_deref(), &message.content, secrets).into_iter().chain(calls).collect()
        }
    };
    of(message.role, parts)
}

fn answer(message: &AssistantMessage, secrets: &Secrets) -> Value {
    let calls = message.tool_calls.iter();
    let calls = calls.map(|made| call(made.id.as_deref(), &made.name, &made.arguments, secrets));
    let parts = said(message.reasoning.as_deref(), &message.content, secrets).into_iter().chain(calls);
    let reason = match message.finish {
        Finish::Stop if !message.tool_calls.is_empty() => "tool_call",
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ContentFilter => "content_filter",
    };
    let mut answer = of(Role::Assistant, parts.collect());
    if let Some(members) = answer.as_object_mut() {
        members.insert("finish_reason".to_owned(), reason.into());
    }
    answer
}

fn of(role: Role, parts: Vec<Value>) -> Value {
    json!({ "role": role.as_str(), "parts": parts })
}

/// The texts of a model's message.
fn said(reasoning: Option<&str>, content: &str, secrets: &Secrets) -> Vec<Value> {
    let thoughts =
        reasoning.map(|thoughts| json!({ "type": "reasoning", "content": cut(thoughts, secrets) }));
    let content = (!content.is_empty()).then(|| text(content, secrets));
    thoughts.into_iter().chain(content).collect()
}

fn text(content: &str, secrets: &Secrets) -> Value {
    json!({ "type": "text", "content": cut(content, secrets) })
}

fn call(id: Option<&str>, name: &str, written: &str, secrets: &Secrets) -> Value {
    let name = cut(name, secrets);
    json!({ "type": "tool_call", "id": id, "name": name, "arguments": arguments(written, secrets) })
}

/// Arguments as an object, or as the text that they are.
fn arguments(written: &str, secrets: &Secrets) -> Value {
    let written = cut(written, secrets);
    serde_json::from_str(&written).unwrap_or(Value::String(written))
}

/// A text without the keys, and of a bounded length. The keys go first: half a key would not be found.
fn cut(content: &str, secrets: &Secrets) -> String {
    let mut content = secrets.conceal(content);
    let end = content.floor_char_boundary(MAX_TEXT);
    let more = content.len() - end;
    if more > 0 {
        content.truncate(end);
        content.push_str(&format!("[{more} more bytes are left out]"));
    }
    content
}

#[cfg(test)]
mod tests;
