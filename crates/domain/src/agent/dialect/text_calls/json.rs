//! Calls as JSON.

use serde_json::{Deserializer, Map, Value};

use super::delimited::Found;
use crate::agent::dialect::chat_call::{tool_call, tool_name};
use crate::agent::json::unfenced;
use crate::agent::response::ToolCall;
use crate::agent::tool::Tool;

/// Llama: a message that is nothing but `{"name": ..., "parameters": {...}}`, a list of them, or several one after the
/// other.
pub(super) fn whole(text: &str) -> Option<Found> {
    let text = text.trim();
    let body = text.strip_prefix("<|python_tag|>").unwrap_or(text);
    Some((String::new(), calls(body)?))
}

/// JSON that calls known tools, and nothing else.
pub(super) fn calls(text: &str) -> Option<Vec<ToolCall>> {
    let mut rest = unfenced(text.trim());
    let mut calls = Vec::new();
    while !rest.is_empty() {
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        match values.next()?.ok()? {
            Value::Array(items) => calls.extend(items),
            call @ Value::Object(_) => calls.push(call),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        }
        let separator = |c: char| c.is_whitespace() || c == ';' || c == ',';
        rest = rest.get(values.byte_offset()..)?.trim_start_matches(separator);
    }
    let is_call = |call: &Value| call.get("name").and_then(Value::as_str).and_then(Tool::meant).is_some();
    let is_calls = !calls.is_empty() && calls.iter().all(is_call);
    is_calls.then(|| calls.iter().map(tool_call).collect())
}

/// A call of a tool by name; `arguments` is the text of an object.
pub(super) fn named(name: &str, arguments: &str) -> Option<ToolCall> {
    let name = tool_name(name.trim());
    Tool::meant(&name)?;
    let arguments: Map<String, Value> = serde_json::from_str(unfenced(arguments.trim())).ok()?;
    Some(ToolCall { id: None, name, arguments: Value::Object(arguments).to_string(), extra: Map::new() })
}
