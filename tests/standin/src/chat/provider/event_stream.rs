//! A completion in pieces, as gateways stream it.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The events of a completion: its role, its text in two pieces, its calls with their arguments in two pieces each.
pub(super) fn of_completion(completion: &Value) -> String {
    let choice = &completion["choices"][0];
    let message = &choice["message"];
    let mut deltas = vec![json!({ "role": "assistant", "content": null })];
    if let Some(text) = message["content"].as_str() {
        let (first, rest) = halves(text);
        deltas.extend([json!({ "content": first }), json!({ "content": rest })]);
    }
    for (index, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let (first, rest) = halves(call["function"]["arguments"].as_str().unwrap_or_default());
        let function = json!({ "name": call["function"]["name"], "arguments": first });
        let begun = json!({ "index": index, "id": call["id"], "type": "function", "function": function });
        let more = json!({ "index": index, "function": { "arguments": rest } });
        deltas.extend([json!({ "tool_calls": [begun] }), json!({ "tool_calls": [more] })]);
    }
    let piece = |delta: Value, finish: &Value| {
        json!({ "id": completion["id"], "object": "chat.completion.chunk", "model": completion["model"],
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    };
    let mut pieces: Vec<Value> = deltas.into_iter().map(|delta| piece(delta, &Value::Null)).collect();
    pieces.push(piece(json!({}), &choice["finish_reason"]));
    pieces.push(json!({ "id": completion["id"], "choices": [], "usage": completion["usage"] }));
    let mut text = String::from(": gateway\n\n");
    for piece in pieces {
        // Writing to a string cannot fail.
        let _ = write!(text, "data: {piece}\n\n");
    }
    text + "data: [DONE]\n\n"
}

fn halves(text: &str) -> (&str, &str) {
    let middle = (0..=text.len() / 2).rev().find(|place| text.is_char_boundary(*place)).unwrap_or_default();
    text.split_at(middle)
}
