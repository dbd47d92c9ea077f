//! Calls as a program writes them: `[buy(symbol="AAPL", amount=5), get_position()]` of Llama 4, `buy.call(...)` of Llama
//! 3.1, `print(default_api.buy(...))` of Gemma.

use serde_json::{Map, Value};

use super::delimited::written;
use crate::agent::json::printable;
use crate::agent::response::ToolCall;
use crate::agent::tool::Tool;

/// Calls of known tools with named arguments, and nothing else.
pub(super) fn calls(text: &str) -> Option<Vec<ToolCall>> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(text);
    let mut rest = text.trim();
    let mut calls = Vec::new();
    while !rest.is_empty() {
        let is_printed = rest.starts_with("print(");
        let (call, after) = call(rest.strip_prefix("print(").unwrap_or(rest))?;
        calls.push(call);
        let after = if is_printed { after.trim_start().strip_prefix(')')? } else { after };
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == ';');
    }
    (!calls.is_empty()).then_some(calls)
}

/// The call at the beginning of `text`, and what follows it.
fn call(text: &str) -> Option<(ToolCall, &str)> {
    let (name, mut rest) = text.split_once('(')?;
    let name = name.trim();
    let name = name.strip_suffix(".call").unwrap_or(name);
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    Tool::meant(name).filter(|_| is_name)?;
    let mut arguments = Map::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(after) = rest.strip_prefix(')') {
            return Some((written(name, arguments), after));
        }
        let (argument, after) = rest.split_once('=')?;
        let (value, after) = value(after.trim_start())?;
        arguments.insert(printable(argument.trim()), value);
        rest = after;
    }
}

/// The value at the beginning of `text`, and what follows it.
fn value(text: &str) -> Option<(Value, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = text.get(1..)?;
        let end = inner.find(quote)?;
        return Some((Value::String(printable(inner.get(..end)?)), inner.get(end + 1..)?));
    }
    let end = text.find([',', ')'])?;
    let value = match text.get(..end)?.trim() {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        other => serde_json::from_str(other).ok()?,
    };
    Some((value, text.get(end..)?))
}
