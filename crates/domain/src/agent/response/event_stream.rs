//! A response that is streamed although this was refused: a chat completion in pieces, as server-sent events.

use serde_json::{Map, Value, json};

/// Members whose pieces replace each other; the pieces of other texts follow each other.
const REPLACED: [&str; 6] = ["role", "id", "type", "name", "object", "model"];

/// The completion that the events of `text` are the pieces of; `None` when there are none, or the stream was cut.
pub(super) fn whole(text: &str) -> Option<Value> {
    let mut message = Map::new();
    let mut body = json!({});
    let mut finish = Value::Null;
    let mut is_complete = false;
    for line in text.lines() {
        let Some(data) = line.strip_prefix("data:") else { continue };
        if data.trim() == "[DONE]" {
            is_complete = true;
            break;
        }
        let piece: Value = serde_json::from_str(data).ok()?;
        for name in ["usage", "error"] {
            if let Some(value) = piece.get(name).filter(|value| !value.is_null()) {
                body[name] = value.clone();
            }
        }
        let Some(choice) = piece.pointer("/choices/0") else { continue };
        if let Some(delta) = choice.get("delta").or_else(|| choice.get("message")).and_then(Value::as_object)
        {
            add(&mut message, delta);
        }
        if let Some(reason) = choice.get("finish_reason").filter(|reason| !reason.is_null()) {
            (finish, is_complete) = (reason.clone(), true);
        }
    }
    if body.get("error").is_some() {
        return Some(body);
    }
    body["choices"] = json!([{"message": message, "finish_reason": finish}]);
    is_complete.then_some(body)
}

fn add(whole: &mut Map<String, Value>, piece: &Map<String, Value>) {
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
