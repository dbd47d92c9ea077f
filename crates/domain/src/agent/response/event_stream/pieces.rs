//! Pieces of a JSON object, put together.

use serde_json::{Map, Value};

/// Members whose pieces replace each other; the pieces of other texts follow each other.
const REPLACED: [&str; 7] = ["role", "id", "type", "name", "object", "model", "format"];

/// Adds the members of a piece to those of the whole.
pub(super) fn add(whole: &mut Map<String, Value>, piece: &Map<String, Value>) {
    for (name, value) in piece {
        match (whole.get_mut(name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(more)) if !REPLACED.contains(&name.as_str()) => {
                text.push_str(more);
            }
            (Some(Value::Object(members)), Value::Object(more)) => add(members, more),
            (Some(Value::Array(items)), Value::Array(more)) => {
                more.iter().for_each(|item| add_item(items, item));
            }
            (None, Value::Array(more)) => {
                let mut items = Vec::new();
                more.iter().for_each(|item| add_item(&mut items, item));
                whole.insert(name.clone(), Value::Array(items));
            }
            // An empty piece, such as a name that was in an earlier one, replaces nothing.
            (Some(_), Value::String(text)) if text.is_empty() => {}
            (_, value) => {
                whole.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Adds a piece of an item to the item of the same index, or a new item.
fn add_item(items: &mut Vec<Value>, piece: &Value) {
    let index = piece.get("index");
    let same = items.iter_mut().find(|item| index.is_some() && item.get("index") == index);
    match (same.and_then(Value::as_object_mut), piece.as_object()) {
        (Some(item), Some(piece)) => add(item, piece),
        _ => items.push(piece.clone()),
    }
}
