//! Tool calls that a model wrote into its text, because its server does not read the model's own form of calls.

use serde_json::{Map, Value};

use super::chat_call::{tool_call, tool_name};
use crate::agent::json::{printable, unfenced};
use crate::agent::prompt::STOP_TOKEN;
use crate::agent::response::{AssistantMessage, ToolCall};
use crate::agent::tool::Tool;

/// The text around the calls, and the calls.
type Found = (String, Vec<ToolCall>);

/// Names of the elements in which models reason.
const REASONING: [&str; 3] = ["think", "thinking", "reasoning"];

/// `message` with the calls that stand in its text, when it has no others, and with whether it ends the day.
pub(super) fn understood(message: AssistantMessage) -> AssistantMessage {
    // Beside calls, the marker is a plan: their results are not known yet.
    if !message.tool_calls.is_empty() {
        return message;
    }
    let said = outside_reasoning(&message.content);
    let (rest, calls) = read(&said);
    if calls.is_empty() {
        AssistantMessage { done: said.contains(STOP_TOKEN), ..message }
    } else {
        AssistantMessage { content: rest, tool_calls: calls, ..message }
    }
}

/// `text` without the reasoning in it; what follows its beginning is reasoning until its end.
fn outside_reasoning(text: &str) -> String {
    let mut text = text.to_owned();
    for name in REASONING {
        let (opening, closing) = (format!("<{name}>"), format!("</{name}>"));
        let mut said = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(&opening) {
            said.push_str(before);
            rest = after.split_once(&closing).map_or("", |(_, after)| after);
        }
        said.push_str(rest);
        // Some templates open the reasoning themselves, so that only its end is in the text.
        text = match said.rsplit_once(&closing) {
            Some((_, after)) => after.to_owned(),
            None => said,
        };
    }
    text
}

/// The calls in `text`, and the text without them. There are none when any that is begun cannot be read.
fn read(text: &str) -> (String, Vec<ToolCall>) {
    let readers: [fn(&str) -> Option<Found>; 4] = [hermes, qwen, mistral, bare];
    readers.iter().find_map(|read| read(text)).unwrap_or_else(|| (text.to_owned(), Vec::new()))
}

/// Hermes, and Qwen before 3: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`.
fn hermes(text: &str) -> Option<Found> {
    let (rest, bodies) = elements(text, "<tool_call>", "</tool_call>")?;
    let mut calls = Vec::new();
    for body in bodies {
        match json_calls(body) {
            Some(found) => calls.extend(found),
            None => calls.extend(qwen(body)?.1),
        }
    }
    Some((rest, calls))
}

/// Qwen 3 for programs, and Llama: `<function=buy><parameter=symbol>AAPL</parameter></function>`, or a JSON object
/// instead of the parameters.
fn qwen(text: &str) -> Option<Found> {
    let (rest, bodies) = elements(text, "<function=", "</function>")?;
    let call = |body: &&str| {
        let (name, inner) = body.split_once('>')?;
        let arguments = match serde_json::from_str(inner.trim()) {
            Ok(Value::Object(members)) => members,
            Ok(_) | Err(_) => parameters(inner),
        };
        Some(written(name.trim(), arguments))
    };
    Some((rest, bodies.iter().map(call).collect::<Option<_>>()?))
}

fn parameters(text: &str) -> Map<String, Value> {
    let (_, bodies) = elements(text, "<parameter=", "</parameter>").unwrap_or_default();
    let parameter = |body: &str| {
        let (name, value) = body.split_once('>')?;
        let value = printable(value.trim());
        // Numbers are written without a mark that they are none.
        let read = serde_json::from_str(&value).unwrap_or(Value::String(value));
        Some((printable(name.trim()), read))
    };
    bodies.into_iter().filter_map(parameter).collect()
}

/// Mistral: `[TOOL_CALLS][{"name": ..., "arguments": {...}}]`.
fn mistral(text: &str) -> Option<Found> {
    let (before, list) = text.split_once("[TOOL_CALLS]")?;
    Some((before.trim().to_owned(), json_calls(list)?))
}

/// Llama: a message that is nothing but `{"name": ..., "parameters": {...}}`, or a list of them.
fn bare(text: &str) -> Option<Found> {
    let text = text.trim();
    let body = text.strip_prefix("<|python_tag|>").unwrap_or(text);
    Some((String::new(), json_calls(body)?))
}

/// JSON that calls known tools, and nothing else.
fn json_calls(text: &str) -> Option<Vec<ToolCall>> {
    let calls = match serde_json::from_str(unfenced(text.trim())).ok()? {
        Value::Array(calls) => calls,
        call @ Value::Object(_) => vec![call],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let is_call = |call: &Value| call.get("name").and_then(Value::as_str).and_then(Tool::meant).is_some();
    let is_calls = !calls.is_empty() && calls.iter().all(is_call);
    is_calls.then(|| calls.iter().map(tool_call).collect())
}

fn written(name: &str, arguments: Map<String, Value>) -> ToolCall {
    let arguments = Value::Object(arguments).to_string();
    ToolCall { id: None, name: tool_name(name), arguments, extra: Map::new() }
}

/// What stands between each `opening` and its `closing`, or the end of the text, and the text around them; `None` when
/// there is none.
fn elements<'a>(text: &'a str, opening: &str, closing: &str) -> Option<(String, Vec<&'a str>)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, rest: &str, expected: &[(&str, &str)]) {
        let (left, calls) = read(text);

        let found: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!((left.as_str(), found.as_slice()), (rest, expected), "{text}");
    }

    #[test]
    fn every_known_form_of_a_call_is_read() {
        let buy = [("buy", r#"{"amount":5,"symbol":"AAPL"}"#)];

        check(
            "I buy.\n<tool_call>\n{\"name\": \"buy\", \"arguments\": {\"symbol\": \"AAPL\", \"amount\": 5}}\n</tool_call>",
            "I buy.",
            &buy,
        );
        check(
            "<tool_call><function=buy>\n<parameter=symbol>\nAAPL\n</parameter>\n<parameter=amount>\n5\n</parameter>\n</function></tool_call>",
            "",
            &buy,
        );
        check("<function=buy>{\"symbol\": \"AAPL\", \"amount\": 5}</function>", "", &buy);
        check("{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}", "", &buy);
        check(
            "<|python_tag|>{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}",
            "",
            &buy,
        );
        check(
            "```json\n{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}\n```",
            "",
            &buy,
        );
        check(
            "[TOOL_CALLS][{\"name\": \"buy\", \"arguments\": {\"symbol\": \"AAPL\", \"amount\": 5}}]",
            "",
            &buy,
        );
        check(
            "<tool_call>{\"name\":\"get_position\",\"arguments\":{}}</tool_call> and <tool_call>{\"name\":\"buy\",\"arguments\":{\"amount\":5,\"symbol\":\"AAPL\"}}",
            "and",
            &[("get_position", "{}"), buy[0]],
        );
    }

    #[test]
    fn text_that_calls_nothing_stays_text() {
        for text in [
            "",
            "I would call buy({\"symbol\": \"AAPL\"}).",
            "{\"name\": \"Apple\", \"parameters\": {}}",
            "{\"answer\": 1}",
            "[]",
            "[1]",
            "<tool_call>buy AAPL</tool_call>",
        ] {
            check(text, text, &[]);
        }
    }

    #[test]
    fn reasoning_is_not_what_the_model_says() {
        assert_eq!(outside_reasoning("a<think>b</think>c"), "ac");
        assert_eq!(outside_reasoning("b</think>c"), "c");
        assert_eq!(outside_reasoning("a<think>b"), "a");
        assert_eq!(outside_reasoning("<think>b</think>c<think>d"), "c");
        assert_eq!(outside_reasoning("a < b"), "a < b");
    }
}
