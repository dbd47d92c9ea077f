//! A response that is streamed although this was refused, as server-sent events of any protocol.

mod chat;
mod messages;
mod pieces;
mod responses;

use serde_json::Value;

/// The body that the events of `text` are the pieces of; `None` when there are none, or the stream was cut.
pub(super) fn whole(text: &str) -> Option<Value> {
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
    let end = data.iter().position(|data| *data == "[DONE]");
    let events = data.iter().take(end.unwrap_or(data.len())).map(|data| serde_json::from_str(data));
    let events: Vec<Value> = events.collect::<Result<_, _>>().ok()?;
    let has_kind = |beginning: &str| {
        let mut kinds = events.iter().filter_map(|event| event.get("type")?.as_str());
        kinds.any(|kind| kind.starts_with(beginning))
    };
    if has_kind("message_start") {
        messages::whole(&events)
    } else if has_kind("response.") {
        responses::whole(&events)
    } else {
        chat::whole(&events, end.is_some())
    }
}
