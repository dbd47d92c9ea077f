//! Responses of providers of chat completions.

use serde_json::{Value, json};

use super::{Provider, Step, thought};
use crate::chat::completion::completion;
use crate::chat::script::ToolCall;

/// A completion without particulars.
pub(super) fn plain(step: &Step<'_>) -> Value {
    completion(step.request, step.request_bytes, step.tools)
}

/// The completion with what `provider` adds to it.
pub(super) fn response(provider: Provider, step: &Step<'_>) -> Value {
    let mut whole = plain(step);
    let number = step.request.step;
    let thought = thought(step.request, number);
    let message = &mut whole["choices"][0]["message"];
    match provider {
        Provider::OpenAi => {
            message["refusal"] = Value::Null;
            message["annotations"] = json!([]);
        }
        Provider::Gemini => {
            if let Some(first) = message.pointer_mut("/tool_calls/0") {
                first["extra_content"] = json!({ "google": { "thought_signature": thought } });
            }
        }
        Provider::OpenRouter => {
            message["reasoning"] = json!("hm");
            message["reasoning_details"] = reasoning_details(&thought);
            whole["usage"]["cost"] = json!(0.000_125);
        }
        Provider::DeepSeek => message["reasoning_content"] = json!(thought),
        Provider::Kimi => {
            message["reasoning_content"] = json!(thought);
            for (index, call) in message["tool_calls"].as_array_mut().into_iter().flatten().enumerate() {
                let name = call["function"]["name"].as_str().unwrap_or_default();
                call["id"] = json!(format!("functions.{name}:{}", number * 100 + index));
            }
        }
        Provider::Hermes => as_text(&mut whole, step.tools, hermes),
        Provider::Qwen => as_text(&mut whole, step.tools, qwen),
        Provider::Mistral => {
            message["prefix"] = json!(false);
            for (index, call) in message["tool_calls"].as_array_mut().into_iter().flatten().enumerate() {
                call["id"] =
                    if index % 2 == 0 { json!(format!("m{number:04}{index:04}")) } else { Value::Null };
                call["index"] = json!(index);
            }
        }
        Provider::Gateway | Provider::Anthropic | Provider::Responses => {}
    }
    whole
}

/// What OpenRouter tells of the reasoning: a text with its signature, and what only the provider can read.
pub(super) fn reasoning_details(thought: &str) -> Value {
    json!([
        { "type": "reasoning.text", "text": "hm", "signature": thought, "format": "anthropic-claude-v1", "index": 0 },
        { "type": "reasoning.encrypted", "data": thought, "id": "rs_0", "format": "openai-responses-v1", "index": 1 },
    ])
}

/// The calls as text, which a server without a parser takes for what the model says.
fn as_text(whole: &mut Value, tools: Option<&[ToolCall]>, write: fn(&ToolCall) -> String) {
    let choice = &mut whole["choices"][0];
    let said = tools.map(|tools| tools.iter().map(write).collect::<Vec<_>>().join("\n"));
    if let Some(calls) = said {
        let text = format!("<think>When I am done I write <FINISH_SIGNAL>.</think>\nI act.\n{calls}");
        choice["message"] =
            json!({ "role": "assistant", "content": text, "reasoning_content": null, "tool_calls": [] });
        choice["finish_reason"] = json!("stop");
    }
}

fn hermes(tool: &ToolCall) -> String {
    format!("<tool_call>\n{{\"name\": \"{}\", \"arguments\": {}}}\n</tool_call>", tool.name, tool.arguments)
}

fn qwen(tool: &ToolCall) -> String {
    let arguments: Value = serde_json::from_str(&tool.arguments).unwrap_or_default();
    let parameter = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("<parameter={name}>\n{value}\n</parameter>\n")
    };
    let parameters: String = arguments.as_object().into_iter().flatten().map(parameter).collect();
    format!("<tool_call>\n<function={}>\n{parameters}</function>\n</tool_call>", tool.name)
}
