//! A message that calls no tool, or whose calls cannot be read.

use serde_json::Value;

use super::failure::{OWN_ANSWER, expected_body};
use super::{Diagnosis, Tried, diagnosis};
use crate::agent::dialect::Dialect;
use crate::agent::prompt::STOP_TOKEN;
use crate::agent::response::{AssistantMessage, MessageClass};
use crate::agent::tool::{Tool, parameters};

/// The members of an own agent's answer.
const MEMBERS: [&str; 4] = ["tool_calls", "finish", "reasoning", "usage"];

/// What is wrong with a message, if anything; `body` is the answer as it arrived.
pub fn of_message(tried: &Tried<'_>, message: &AssistantMessage, body: &str) -> Option<Diagnosis> {
    let unknown = unknown_members(tried.dialect, body);
    match message.class() {
        MessageClass::ToolCalls => None,
        MessageClass::Final if message.done => None,
        MessageClass::BadArguments => bad_arguments(message),
        MessageClass::Final | MessageClass::Empty if !unknown.is_empty() => Some(diagnosis(
            format!("the answer has {unknown}, which mean nothing here, and neither tool_calls nor finish"),
            OWN_ANSWER.to_owned(),
            "name the members as docs/agents.md does".to_owned(),
        )),
        MessageClass::Final => Some(idle(tried.dialect, "the answer calls no tool and does not end the day")),
        MessageClass::Empty => {
            Some(idle(tried.dialect, "the answer is empty: no text, no tool call, no end"))
        }
        MessageClass::Truncated => Some(diagnosis(
            "the answer was cut at the limit of tokens, so its calls are not run".to_owned(),
            "a complete answer".to_owned(),
            "raise sampling.max_completion_tokens, or the endpoint's own limit".to_owned(),
        )),
        MessageClass::Refused => Some(diagnosis(
            "the model refused, or a filter stopped its answer".to_owned(),
            String::new(),
            "change the prompt, or use another model".to_owned(),
        )),
    }
}

fn bad_arguments(message: &AssistantMessage) -> Option<Diagnosis> {
    let broken = |call: &crate::agent::response::ToolCall| Some((call.name.clone(), call.parsed().err()?));
    let (name, problem) = message.tool_calls.iter().find_map(broken)?;
    let tool = Tool::offered(true).find(|tool| tool.name() == name);
    Some(diagnosis(
        format!("the arguments of {name} cannot be read: {problem}; none of the answer's calls is run"),
        tool.map(|tool| parameters(tool).to_string()).unwrap_or_default(),
        "write the arguments as one JSON object".to_owned(),
    ))
}

fn idle(dialect: Dialect, problem: &str) -> Diagnosis {
    let (expected, fix) = match dialect {
        Dialect::Agent | Dialect::Mcp => (
            OWN_ANSWER.to_owned(),
            "call a tool, or end the day with \"finish\": true; a second answer of this kind ends the day",
        ),
        Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => (
            format!("tool calls as in {}, or a text with {STOP_TOKEN}", expected_body(dialect)),
            "use a model and a server that support tool calls (vLLM: --enable-auto-tool-choice and \
             --tool-call-parser), or change the prompt; a second answer of this kind ends the day",
        ),
    };
    diagnosis(problem.to_owned(), expected, fix.to_owned())
}

/// The members of an own agent's answer that mean nothing.
fn unknown_members(dialect: Dialect, body: &str) -> String {
    let Ok(Value::Object(members)) = serde_json::from_str(body) else { return String::new() };
    if dialect != Dialect::Agent || MEMBERS[..2].iter().any(|name| members.contains_key(*name)) {
        return String::new();
    }
    let unknown = members.keys().filter(|name| !MEMBERS.contains(&name.as_str()));
    unknown.take(8).cloned().collect::<Vec<_>>().join(", ")
}
