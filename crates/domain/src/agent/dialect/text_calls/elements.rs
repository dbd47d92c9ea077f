//! Calls as elements.

use serde_json::{Map, Value};

use super::delimited::{Found, between, written};
use super::{json, pythonic};
use crate::agent::json::printable;
use crate::agent::response::ToolCall;
use crate::agent::tool::Tool;

/// Hermes, and Qwen before 3: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`. In the same element, Qwen 3 has
/// its functions and GLM its pairs of names and values.
pub(super) fn tool_call(text: &str) -> Option<Found> {
    let (rest, bodies) = between(text, "<tool_call>", "</tool_call>")?;
    let mut calls = Vec::new();
    for body in bodies {
        // Some models close an element with its opening again.
        let body = body.trim().trim_end_matches("<tool_call>");
        let found = json::calls(body)
            .or_else(|| Some(function(body)?.1))
            .or_else(|| Some(vec![pairs(body)?]))
            .or_else(|| Some(vec![alone(body)?]))
            .or_else(|| pythonic::calls(body));
        calls.extend(found?);
    }
    Some((rest, calls))
}

/// Qwen 3 for programs, and Llama: `<function=buy><parameter=symbol>AAPL</parameter></function>`, or a JSON object
/// instead of the parameters.
pub(super) fn function(text: &str) -> Option<Found> {
    let (rest, bodies) = between(text, "<function=", "</function>")?;
    let call = |body: &&str| {
        let (name, inner) = body.split_once('>')?;
        let arguments = match serde_json::from_str(inner.trim()) {
            Ok(Value::Object(members)) => members,
            Ok(_) | Err(_) => parameters(inner, "<parameter=", |name| Some(name)),
        };
        Some(written(name, arguments))
    };
    Some((rest, bodies.iter().map(call).collect::<Option<_>>()?))
}

/// MiniMax, DeepSeek and Claude: `<invoke name="buy"><parameter name="symbol">AAPL</parameter></invoke>`, each inside an
/// element of its own.
pub(super) fn invoke(text: &str) -> Option<Found> {
    let text = text.replace("｜DSML｜", "");
    let (mut rest, bodies) = between(&text, "<invoke name=", "</invoke>")?;
    let call = |body: &&str| {
        let (name, inner) = body.split_once('>')?;
        Some(written(quoted(name)?, parameters(inner, "<parameter name=", quoted)))
    };
    let calls = bodies.iter().map(call).collect::<Option<_>>()?;
    for around in ["minimax:tool_call", "function_calls"] {
        rest = rest.replace(&format!("<{around}>"), "").replace(&format!("</{around}>"), "");
    }
    Some((rest.trim().to_owned(), calls))
}

/// GLM: `buy<arg_key>symbol</arg_key><arg_value>AAPL</arg_value>`.
fn pairs(body: &str) -> Option<ToolCall> {
    let (name, inner) = body.split_once("<arg_key>")?;
    let (_, pairs) = between(&format!("<arg_key>{inner}"), "<arg_key>", "</arg_value>")
        .map(|(rest, pairs)| (rest, pairs.into_iter().map(str::to_owned).collect::<Vec<_>>()))?;
    let pair = |pair: &String| {
        let (name, value) = pair.split_once("</arg_key>")?;
        let value = value.trim().strip_prefix("<arg_value>")?;
        Some((printable(name.trim()), read(value)))
    };
    Some(written(name, pairs.iter().map(pair).collect::<Option<_>>()?))
}

/// A tool without arguments: its name.
fn alone(body: &str) -> Option<ToolCall> {
    Tool::meant(body)?;
    Some(written(body, Map::new()))
}

/// The parameters whose elements begin with `opening`; `name` takes the name from the rest of the tag.
fn parameters(text: &str, opening: &str, name: fn(&str) -> Option<&str>) -> Map<String, Value> {
    let (_, bodies) = between(text, opening, "</parameter>").unwrap_or_default();
    let parameter = |body: &str| {
        let (tag, value) = body.split_once('>')?;
        Some((printable(name(tag)?.trim()), read(value)))
    };
    bodies.into_iter().filter_map(parameter).collect()
}

/// The first quoted text.
fn quoted(tag: &str) -> Option<&str> {
    tag.split('"').nth(1)
}

/// Numbers are written without a mark that they are none.
fn read(value: &str) -> Value {
    let value = printable(value.trim());
    serde_json::from_str(&value).unwrap_or(Value::String(value))
}
