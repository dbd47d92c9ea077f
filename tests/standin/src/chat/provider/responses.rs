//! OpenAI's Responses API.

use serde_json::{Value, json};

use super::{Refusal, Step, thought, unknown};
use crate::chat::completion::ChatRequest;

const MEMBERS: [&str; 11] = [
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "model",
    "reasoning",
    "store",
    "stream",
    "temperature",
    "tools",
    "top_p",
];
const FROM_MODEL: [&str; 2] = ["reasoning", "function_call"];

/// The request in the form of chat completions.
pub(super) fn as_chat(body: &Value) -> Option<Value> {
    let mut messages = vec![json!({ "role": "system", "content": body["instructions"] })];
    let mut is_models = false;
    for item in body["input"].as_array()? {
        // The items of one response are one message.
        let was_models = std::mem::replace(&mut is_models, is_from_model(item));
        if is_models && !was_models {
            messages.push(json!({ "role": "assistant" }));
        } else if item["type"] == "function_call_output" {
            messages.push(json!({ "role": "tool", "content": item["output"] }));
        } else if !is_models {
            messages.push(json!({ "role": "user", "content": item["content"] }));
        }
    }
    Some(json!({ "model": body["model"], "messages": messages }))
}

fn is_from_model(item: &Value) -> bool {
    item["role"] == "assistant" || item["type"].as_str().is_some_and(|kind| FROM_MODEL.contains(&kind))
}

/// The response of a step: encrypted reasoning, then calls or text.
pub(super) fn response(step: &Step<'_>) -> Value {
    let (request, number) = (step.request, step.request.step);
    let mut output = vec![json!({ "type": "reasoning", "id": format!("rs_{number}"), "summary": [],
        "encrypted_content": thought(request, number) })];
    match step.tools {
        Some(tools) => output.extend(tools.iter().enumerate().map(|(index, tool)| {
            json!({ "type": "function_call", "id": format!("fc_{number}_{index}"), "status": "completed",
                "call_id": format!("call_{number}_{index}"), "name": tool.name, "arguments": tool.arguments })
        })),
        None => {
            let text = "Positions are updated. <FINISH_SIGNAL>";
            output.push(json!({ "type": "message", "id": format!("msg_{number}"), "role": "assistant",
                "status": "completed", "content": [{ "type": "output_text", "text": text, "annotations": [] }] }));
        }
    }
    let prompt = step.request_bytes / 4;
    json!({
        "id": format!("resp_{}_{}_{number}", request.model, request.date),
        "object": "response",
        "status": "completed",
        "error": null,
        "incomplete_details": null,
        "model": request.model,
        "output": output,
        "usage": { "input_tokens": prompt, "input_tokens_details": { "cached_tokens": prompt / 2 },
            "output_tokens": 30, "output_tokens_details": { "reasoning_tokens": 10 }, "total_tokens": prompt + 30 },
    })
}

/// Why the request is refused, if it is.
pub(super) fn refusal(request: &ChatRequest, body: &Value) -> Option<Refusal> {
    if let Some(name) = unknown(body, &MEMBERS) {
        return Some(error(&format!("Unknown parameter: '{name}'."), "unknown_parameter"));
    }
    let tools = body["tools"].as_array().into_iter().flatten().enumerate();
    let mut nameless = tools.filter(|(_, tool)| tool["type"] != "function" || !tool["name"].is_string());
    if let Some((place, _)) = nameless.next() {
        let text = format!("Missing required parameter: 'tools[{place}].name'.");
        return Some(error(&text, "missing_required_parameter"));
    }
    let items = body["input"].as_array().map(Vec::as_slice).unwrap_or_default();
    of_calls(items).or_else(|| of_reasoning(request, items, body["store"] == false))
}

/// A call without its output, or an output without its call.
fn of_calls(items: &[Value]) -> Option<Refusal> {
    let ids = |kind: &str| -> Vec<&str> {
        let of_kind = items.iter().filter(|item| item["type"] == kind);
        of_kind.map(|item| item["call_id"].as_str().unwrap_or_default()).collect()
    };
    let (calls, outputs) = (ids("function_call"), ids("function_call_output"));
    if let Some(id) = calls.iter().find(|id| !outputs.contains(id)) {
        return Some(error(&format!("No tool output found for function call {id}."), ""));
    }
    let lost = outputs.iter().find(|id| !calls.contains(id))?;
    Some(error(&format!("No tool call found for function call output with call_id {lost}."), ""))
}

/// Calls without the reasoning before them, and reasoning that is not as it was.
fn of_reasoning(request: &ChatRequest, items: &[Value], is_stateless: bool) -> Option<Refusal> {
    let mut step = 0;
    let mut reasoned = false;
    for item in items {
        let id = item["id"].as_str().unwrap_or_default();
        match item["type"].as_str() {
            Some("reasoning") => {
                if is_stateless && item["encrypted_content"].is_null() {
                    return Some(error(
                        &format!(
                            "Item with id '{id}' not found. Items are not persisted when `store` is set to false."
                        ),
                        "",
                    ));
                }
                if item["encrypted_content"] != thought(request, step) {
                    let text = format!("The encrypted content for item {id} could not be verified.");
                    return Some(error(&text, "invalid_encrypted_content"));
                }
                (step, reasoned) = (step + 1, true);
            }
            Some("function_call") if !id.is_empty() && !reasoned => {
                return Some(error(
                    &format!(
                        "Item '{id}' of type 'function_call' was provided without its required 'reasoning' item."
                    ),
                    "",
                ));
            }
            Some("function_call") => {}
            _ => reasoned = false,
        }
    }
    None
}

fn error(message: &str, code: &str) -> Refusal {
    let code = Some(code).filter(|code| !code.is_empty());
    let error =
        json!({ "message": message, "type": "invalid_request_error", "param": "input", "code": code });
    Refusal { status: 400, body: json!({ "error": error }) }
}
