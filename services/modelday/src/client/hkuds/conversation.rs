//! What an agent said on a day: `AGENT/log/DATE/log.jsonl`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the project begins the message that has what tools returned.
const TOOL_RESULTS: &str = "Tool results:";

/// A turn as `PUT /conversations` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Turn {
    pub(crate) role: &'static str,
    pub(crate) content: String,
    pub(crate) step: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'static str>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "messages")]
    new_messages: Value,
}

/// The turns of a file's text. Lines that are no entries, such as a last one that is cut, are left out.
pub(crate) fn turns(text: &str) -> Vec<Turn> {
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    let messages = entries.flat_map(|entry| match entry.new_messages {
        Value::Array(messages) => messages,
        message => vec![message],
    });
    let mut step = 0;
    messages.filter_map(|message| turn(&message, &mut step)).collect()
}

fn turn(message: &Value, step: &mut u32) -> Option<Turn> {
    let content = match message.get("content")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let plain = |role| Some(Turn { role, content: content.clone(), step: *step, name: None });
    match message.get("role")?.as_str()? {
        "system" => plain("system"),
        "assistant" => {
            *step += 1;
            Some(Turn { role: "assistant", content, step: *step, name: None })
        }
        "user" if content.trim_start().starts_with(TOOL_RESULTS) => {
            let content = content.trim_start().trim_start_matches(TOOL_RESULTS).trim().to_owned();
            Some(Turn { role: "tool", content, step: *step, name: Some("tools") })
        }
        "user" => plain("user"),
        "tool" => Some(Turn { role: "tool", content, step: *step, name: Some("tools") }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_turns_and_results_of_tools_are_known_by_their_beginning() {
        let text = r#"{"signature":"gpt-5","new_messages":[{"role":"user","content":"Please analyze"}]}
{"signature":"gpt-5","new_messages":{"role":"assistant","content":"I buy NVDA."}}
{"new_messages":[{"role":"user","content":"Tool results: {\"CASH\": 1}"}]}
{"new_messages":[{"role":"assistant","content":"<FINISH_SIGNAL>"}]}
{"new_mess"#;

        let turns = turns(text);

        let seen: Vec<_> = turns.iter().map(|turn| (turn.role, turn.step, turn.content.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("user", 0, "Please analyze"),
                ("assistant", 1, "I buy NVDA."),
                ("tool", 1, "{\"CASH\": 1}"),
                ("assistant", 2, "<FINISH_SIGNAL>")
            ]
        );
    }
}
