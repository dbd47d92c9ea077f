//! Calls as JSON.

use serde_json::{Deserializer, Map, Value};

use super::delimited::Found;
use super::pythonic;
use crate::agent::dialect::chat_call::{tool_call, tool_name};
use crate::agent::json::unfenced;
use crate::agent::response::ToolCall;
use crate::agent::tool::Tool;

/// Other names of a call's name, and of its arguments beside it.
const NAMES: [(&str, &[&str]); 4] = [
    ("tool_name", &["parameters", "arguments", "args", "input"]),
    ("tool", &["args", "arguments", "parameters", "input", "tool_input"]),
    ("function", &["arguments", "parameters", "args", "input"]),
    ("action", &["action_input", "arguments", "parameters", "args", "input"]),
];

/// Llama: a message that is nothing but `{"name": ..., "parameters": {...}}`, a list of them, several one after the
/// other, or calls as a program writes them.
pub(super) fn whole(text: &str) -> Option<Found> {
    let text = text.trim();
    let body = text.strip_prefix("<|python_tag|>").unwrap_or(text);
    Some((String::new(), calls(body).or_else(|| pythonic::calls(body))?))
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
    let calls: Option<Vec<ToolCall>> = calls.into_iter().flat_map(inner).map(known).collect();
    calls.filter(|calls| !calls.is_empty())
}

/// The calls in an object around them.
fn inner(mut object: Value) -> Vec<Value> {
    match object.get_mut("tool_calls").map(Value::take) {
        Some(Value::Array(calls)) => calls,
        Some(_) | None => match object.get_mut("function_call").map(Value::take) {
            Some(call @ Value::Object(_)) => vec![call],
            Some(_) | None => vec![object],
        },
    }
}

/// The call of a known tool that `object` is, under any of the names that models give to its members.
fn known(mut object: Value) -> Option<ToolCall> {
    let members = object.as_object_mut()?;
    if !members.contains_key("name") && !members.get("function").is_some_and(Value::is_object) {
        let (name, arguments) = NAMES.iter().find(|(name, _)| members.contains_key(*name))?;
        // Without arguments, it is an answer that has such a member.
        let arguments = arguments.iter().find_map(|name| members.remove(*name))?;
        let name = members.remove(*name)?;
        members.extend([("name".to_owned(), name), ("arguments".to_owned(), arguments)]);
    }
    let call = tool_call(&object);
    Tool::meant(&call.name)?;
    Some(call)
}

/// A call of a tool by name; `arguments` is the text of an object.
pub(super) fn named(name: &str, arguments: &str) -> Option<ToolCall> {
    let name = tool_name(name.trim());
    Tool::meant(&name)?;
    let arguments: Map<String, Value> = serde_json::from_str(unfenced(arguments.trim())).ok()?;
    Some(ToolCall { id: None, name, arguments: Value::Object(arguments).to_string(), extra: Map::new() })
}
