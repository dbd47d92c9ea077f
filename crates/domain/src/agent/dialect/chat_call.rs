//! A tool call in a chat-completions response.

use serde_json::{Map, Value};

use crate::agent::json::{opened, printable, printable_value};
use crate::agent::response::ToolCall;
use crate::agent::tool::Tool;

/// Names of a call's arguments.
const ARGUMENTS: [&str; 4] = ["arguments", "args", "parameters", "input"];

/// One call: `{id, function: {name, arguments}}`, or `{id, name, args}` as some proxies write it.
pub(super) fn tool_call(call: &Value) -> ToolCall {
    let function = call.get("function").filter(|function| function.is_object());
    let inner = function.unwrap_or(call);
    let name = [inner, call].iter().find_map(|place| place.get("name")?.as_str());
    let arguments = ARGUMENTS.iter().find_map(|name| inner.get(name).or_else(|| call.get(name)));
    let known = ["id", "type", "index", "function", "name"];
    let mut extra = others(call, &[&known[..], &ARGUMENTS].concat());
    let of_function = function.map(|function| others(function, &[&["name"][..], &ARGUMENTS].concat()));
    if let Some(members) = of_function.filter(|members| !members.is_empty()) {
        extra.insert("function".to_owned(), Value::Object(members));
    }
    ToolCall {
        id: call.get("id").and_then(Value::as_str).map(printable).filter(|id| !id.is_empty()),
        name: tool_name(name.unwrap_or_default()),
        arguments: match arguments {
            Some(Value::String(text)) => opened(&printable(text)),
            Some(value) => value.to_string(),
            None => "{}".to_owned(),
        },
        extra,
    }
}

/// The name of the tool that is meant, or what was written when there is no such tool.
pub(super) fn tool_name(written: &str) -> String {
    Tool::meant(written).map_or_else(|| printable(written), |tool| tool.name().to_owned())
}

/// The members of `object` that are not `known` and say something.
pub(super) fn others(object: &Value, known: &[&str]) -> Map<String, Value> {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    let members = object.as_object().into_iter().flatten();
    let others = members.filter(|(name, value)| !known.contains(&name.as_str()) && says_something(value));
    others.map(|(name, value)| (printable(name), printable_value(value))).collect()
}
