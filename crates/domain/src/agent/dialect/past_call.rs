//! A tool call of an earlier message, as it goes back to the endpoint beside its result.

use serde_json::{Map, Value};

use crate::agent::json::{object, printable};
use crate::agent::transcript::Message;

/// Endpoints refuse longer names of functions, and other characters in them.
const MAX_NAME: usize = 64;

/// The name of the tool that `result` belongs to.
pub(super) fn name(result: &Message) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name = printable(result.name.as_deref().unwrap_or_default());
    let name: String = name.chars().take(MAX_NAME).map(allowed).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// The call's arguments. Endpoints read those of past calls and refuse a request where they are no object.
pub(super) fn arguments(result: &Message) -> Map<String, Value> {
    object(result.arguments.as_deref().unwrap_or_default()).unwrap_or_default()
}

/// The calls of a message, given as the parts that it was received in: a part that `is_call` becomes the next call of
/// `results` by `call`, or is left out when the call was not run. Calls without a part, which stood in the text, follow.
pub(super) fn with_results<'r>(
    parts: &[Value],
    mut results: impl Iterator<Item = &'r Message>,
    is_call: impl Fn(&Value) -> bool,
    call: impl Fn(Map<String, Value>, &Message) -> Value,
) -> Vec<Value> {
    let mut whole = Vec::new();
    for part in parts {
        match part {
            Value::Object(members) if is_call(part) => {
                whole.extend(results.next().map(|result| call(members.clone(), result)));
            }
            part => whole.push(part.clone()),
        }
    }
    whole.extend(results.map(|result| call(Map::new(), result)));
    whole
}
