//! A response of the Responses API in pieces, of which the last has the whole.

use serde_json::{Value, json};

/// The response of the last event; `None` when the stream was cut.
pub(super) fn whole(events: &[Value]) -> Option<Value> {
    let is = |event: &Value, kinds: &[&str]| event["type"].as_str().is_some_and(|kind| kinds.contains(&kind));
    if let Some(error) = events.iter().find(|event| is(event, &["error"])) {
        return Some(json!({"error": error}));
    }
    let ends = ["response.completed", "response.incomplete", "response.failed"];
    let mut response = events.iter().rev().find(|event| is(event, &ends))?.get("response")?.clone();
    // Some gateways leave the items out of the last event.
    if response["output"].as_array().is_none_or(Vec::is_empty) {
        let done = events.iter().filter(|event| is(event, &["response.output_item.done"]));
        response["output"] = done.filter_map(|event| event.get("item").cloned()).collect();
    }
    Some(response)
}
