//! JSON or a program's calls between marks, of the many forms that differ in their marks alone.

use super::delimited::{Found, between};
use super::{json, pythonic};
use crate::agent::response::ToolCall;

/// The marks: of Nemotron, Granite, Phi, Cohere, LFM, InternLM, Llama 4, Jamba and several fine-tunes.
const MARKS: [(&str, &str); 11] = [
    ("<function_call>", "</function_call>"),
    ("<functioncall>", "</functioncall>"),
    ("<toolcall>", "</toolcall>"),
    ("<TOOLCALL>", "</TOOLCALL>"),
    ("<tool_calls>", "</tool_calls>"),
    ("<|tool_call|>", "<|/tool_call|>"),
    ("<|tool_call_start|>", "<|tool_call_end|>"),
    ("<|START_ACTION|>", "<|END_ACTION|>"),
    ("<|action_start|><|plugin|>", "<|action_end|>"),
    ("<|python_start|>", "<|python_end|>"),
    ("<|python_tag|>", "<|eom_id|>"),
];
const FENCE: &str = "```";

/// Calls between marks.
pub(super) fn marked(text: &str) -> Option<Found> {
    MARKS.iter().find_map(|(opening, closing)| {
        let (rest, bodies) = between(text, opening, closing)?;
        Some((rest, all(&bodies, either)?))
    })
}

/// Calls in fenced blocks beside other text. There are none when any block is something else.
pub(super) fn fenced(text: &str) -> Option<Found> {
    let (rest, bodies) = between(text, FENCE, FENCE)?;
    // The language stands after the opening fence.
    let is_language = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let body = |body: &str| either(body.trim_start_matches(is_language));
    Some((rest, all(&bodies, body)?))
}

/// Calls in JSON on lines of their own at the end of a text.
pub(super) fn at_the_end(text: &str) -> Option<Found> {
    let beginnings = text.match_indices('\n').map(|(at, _)| at + 1);
    beginnings.filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(['{', '[']))).find_map(|at| {
        let (said, calls) = text.split_at(at);
        Some((said.trim().to_owned(), json::calls(calls)?))
    })
}

fn either(body: &str) -> Option<Vec<ToolCall>> {
    json::calls(body).or_else(|| pythonic::calls(body))
}

fn all(bodies: &[&str], read: impl Fn(&str) -> Option<Vec<ToolCall>>) -> Option<Vec<ToolCall>> {
    let calls: Option<Vec<Vec<ToolCall>>> = bodies.iter().map(|body| read(body)).collect();
    calls.map(|calls| calls.concat())
}
