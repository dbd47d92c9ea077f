//! Parts of a text between marks, and calls that are written in them.

use serde_json::{Map, Value};

use crate::agent::dialect::chat_call::tool_name;
use crate::agent::response::ToolCall;

/// The text around the calls, and the calls.
pub(super) type Found = (String, Vec<ToolCall>);

/// What stands between each `opening` and its `closing`, or the end of the text, and the text around them; `None` when
/// there is none.
pub(super) fn between<'a>(text: &'a str, opening: &str, closing: &str) -> Option<(String, Vec<&'a str>)> {
    let (mut around, mut rest) = text.split_once(opening).map(|(before, rest)| (before.to_owned(), rest))?;
    let mut bodies = Vec::new();
    loop {
        let (body, after) = rest.split_once(closing).unwrap_or((rest, ""));
        bodies.push(body);
        match after.split_once(opening) {
            Some((between, next)) => {
                around.push_str(between);
                rest = next;
            }
            None => {
                around.push_str(after);
                return Some((around.trim().to_owned(), bodies));
            }
        }
    }
}

/// The call of that name with these arguments.
pub(super) fn written(name: &str, arguments: Map<String, Value>) -> ToolCall {
    let arguments = Value::Object(arguments).to_string();
    ToolCall { id: None, name: tool_name(name.trim()), arguments, extra: Map::new() }
}
