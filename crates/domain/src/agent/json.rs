//! JSON text whose numbers are exact decimals, which a JSON value of floats could not hold.

use std::fmt::{Display, Write as _};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// How often arguments may be quoted as a whole.
const MAX_QUOTED: usize = 3;

/// A JSON object written member by member, in the order they are given.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    /// A member whose value is JSON text already: a number, an object, an array.
    pub(crate) fn json(mut self, name: &str, value: impl Display) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        // Writing to a string cannot fail.
        let _ = write!(self.0, ":{value}");
        self
    }

    /// A member whose value is text.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.json(name, quoted(value))
    }

    /// A member whose value is a decimal, written without trailing zeros.
    pub(crate) fn decimal(self, name: &str, value: Decimal) -> Self {
        self.json(name, value.normalize())
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A JSON array of values that are JSON text already.
pub(crate) fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The result of a tool that could do nothing.
pub(crate) fn error(text: &str) -> String {
    Object::new().text("error", text).finish()
}

/// `text` without control characters other than line breaks and tabs: databases refuse some of them.
pub(crate) fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() && !matches!(c, '\n' | '\r' | '\t') { '\u{fffd}' } else { c };
    text.chars().map(plain).collect()
}

/// `value` with every text in it [`printable`].
pub(crate) fn printable_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(text)),
        Value::Array(items) => items.iter().map(printable_value).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (printable(name), printable_value(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The first `limit` characters of `text`, with an ellipsis when some are missing.
pub(crate) fn bounded(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The text of arguments without what some models put around it: a code fence, or JSON's quotes a second time.
pub(crate) fn opened(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..MAX_QUOTED {
        match serde_json::from_str(unfenced(&text)) {
            Ok(Value::String(inner)) => text = inner,
            Ok(_) | Err(_) => break,
        }
    }
    unfenced(&text).to_owned()
}

/// `text` without a code fence around it.
pub(crate) fn unfenced(text: &str) -> &str {
    let inner = text.trim().strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    let Some(inner) = inner else { return text };
    // The language stands after the opening fence.
    inner.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim()
}

/// Reads an object's text.
///
/// # Errors
/// When it is no JSON, or no object; the text is for the agent.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    // Some endpoints send no arguments as nothing at all.
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let kind = match serde_json::from_str(text) {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(Value::Null) => return Ok(Map::new()),
        Ok(Value::Array(_)) => "an array",
        Ok(Value::String(_)) => "a string",
        Ok(Value::Number(_)) => "a number",
        Ok(Value::Bool(_)) => "a boolean",
        Err(error) => return Err(format!("the arguments are not valid JSON: {error}")),
    };
    Err(format!("the arguments must be a JSON object, not {kind}"))
}

/// `json` with every number outside strings quoted, so that its digits are read exactly.
pub(crate) fn numbers_as_text(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len() + 16);
    let (mut in_string, mut escaped, mut in_number) = (false, false, false);
    for c in json.chars() {
        let numeric = !in_string
            && (c == '-' || c.is_ascii_digit() || (in_number && matches!(c, '+' | '.' | 'e' | 'E')));
        if numeric != in_number {
            quoted.push('"');
            in_number = numeric;
        }
        (in_string, escaped) = match (in_string, escaped, c) {
            (false, _, '"') => (true, false),
            (true, false, '"') => (false, false),
            (true, false, '\\') => (true, true),
            (inside, _, _) => (inside, false),
        };
        quoted.push(c);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_every_digit() {
        let value: Decimal = "1234567890123456789.123456789".parse().unwrap();

        let text = Object::new().decimal("CASH", value).text("a\"b", "c\nd").json("n", 5).finish();

        assert_eq!(text, r#"{"CASH":1234567890123456789.123456789,"a\"b":"c\nd","n":5}"#);
    }

    #[test]
    fn numbers_become_text_and_strings_stay() {
        assert_eq!(
            numbers_as_text(r#"{"a":-1.5e+3,"b":"1\"2","c":[0.1,true],"d9":12345678901234567890}"#),
            r#"{"a":"-1.5e+3","b":"1\"2","c":["0.1",true],"d9":"12345678901234567890"}"#
        );
    }

    #[test]
    fn only_an_object_is_a_list_of_arguments() {
        assert!(object(r#"{"a":1}"#).is_ok());
        assert!(object("").unwrap().is_empty());
        assert_eq!(object("[1]").unwrap_err(), "the arguments must be a JSON object, not an array");
        assert!(object("{\"a\":").unwrap_err().starts_with("the arguments are not valid JSON: "));
        assert!(object(&"[".repeat(100_000)).unwrap_err().contains("recursion limit"));
    }
}
