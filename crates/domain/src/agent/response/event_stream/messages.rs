//! A message of the Messages API in pieces.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::pieces::add;

/// The message that the events are the pieces of; `None` when the stream was cut.
pub(super) fn whole(events: &[Value]) -> Option<Value> {
    let mut message = Map::new();
    let mut blocks: BTreeMap<u64, Block> = BTreeMap::new();
    let mut is_complete = false;
    for event in events {
        let of_event = |name: &str| event.get(name).and_then(Value::as_object);
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        match event["type"].as_str()? {
            "error" => return Some(event.clone()),
            "message_start" => message = of_event("message")?.clone(),
            "content_block_start" => {
                let members = of_event("content_block")?.clone();
                blocks.insert(index, Block { members, input: String::new() });
            }
            "content_block_delta" => blocks.get_mut(&index)?.add(of_event("delta")?),
            "message_delta" => {
                add(&mut message, of_event("delta")?);
                // Later counts replace earlier ones.
                let counts = message.entry("usage").or_insert_with(|| Value::Object(Map::new()));
                let counts = counts.as_object_mut()?;
                let later = of_event("usage").into_iter().flatten().filter(|(_, count)| !count.is_null());
                counts.extend(later.map(|(name, count)| (name.clone(), count.clone())));
            }
            "message_stop" => is_complete = true,
            _ => {}
        }
    }
    let content = blocks.into_values().map(Block::whole).collect();
    message.insert("content".to_owned(), content);
    is_complete.then_some(Value::Object(message))
}

/// A block of the content.
struct Block {
    members: Map<String, Value>,
    /// The JSON text of a call's input, as far as it has come.
    input: String,
}

impl Block {
    fn add(&mut self, delta: &Map<String, Value>) {
        if let Some(Value::String(more)) = delta.get("partial_json") {
            self.input.push_str(more);
        }
        // The kind of a piece is not that of its block.
        let texts = ["text", "thinking", "signature"];
        let texts = delta.iter().filter(|(name, _)| texts.contains(&name.as_str()));
        add(&mut self.members, &texts.map(|(name, text)| (name.clone(), text.clone())).collect());
    }

    fn whole(mut self) -> Value {
        if !self.input.is_empty() {
            // The input of a message that reached the limit of tokens may lack its end.
            let input = serde_json::from_str(&self.input).unwrap_or(Value::String(self.input));
            self.members.insert("input".to_owned(), input);
        }
        Value::Object(self.members)
    }
}
