//! A chat completion in pieces.

use serde_json::{Map, Value, json};

use super::pieces::add;

/// The completion that the events are the pieces of; `None` when there are none, or the stream was cut. `ended` tells of
/// a mark at the end.
pub(super) fn whole(events: &[Value], ended: bool) -> Option<Value> {
    let mut message = Map::new();
    let mut body = json!({});
    let mut finish = Value::Null;
    let mut is_complete = ended;
    for piece in events {
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
