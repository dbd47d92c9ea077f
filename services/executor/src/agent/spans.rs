//! The spans of an agent's day, by OpenTelemetry's conventions for generative AI: a call of its endpoint, and a tool.

use domain::agent::transcript::Message;
use domain::agent::{Dialect, EndpointUrl, ModelRequest, ModelResponse, RawResponse};
use domain::job::AgentModel;
use runtime::telemetry;
use serde_json::Value;
use tracing::Span;
use tracing::field::Empty;

use super::call_metrics::{operation, provider};

/// The span of a call.
pub(super) fn call(agent: &AgentModel, model: &str, request: &ModelRequest) -> Span {
    let url = agent.url.parse::<EndpointUrl>().ok();
    let host = url.as_ref().map(EndpointUrl::host);
    let port = url.as_ref().map(|url| url.port().unwrap_or(if url.is_https() { 443 } else { 80 }));
    let requested = &agent.settings.basemodel;
    let is_own = agent.dialect == Dialect::Agent;
    let operation = operation(agent.dialect);
    tracing::info_span!(
        "chat",
        otel.name = format!("{operation} {}", if is_own { model } else { requested }),
        otel.kind = "client",
        gen_ai.operation.name = operation,
        gen_ai.provider.name = provider(agent),
        gen_ai.agent.name = model,
        gen_ai.request.model = requested.as_str(),
        gen_ai.request.max_tokens = request.max_completion_tokens.map(telemetry::integer),
        gen_ai.response.id = Empty,
        gen_ai.response.model = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        server.address = host.as_deref(),
        server.port = port.map(i64::from),
        "error.type" = Empty,
        otel.status_code = Empty,
        step = i64::from(request.step),
    )
}

/// What the answer says.
pub(super) fn answered(span: &Span, raw: &RawResponse, response: &ModelResponse) {
    if span.is_disabled() {
        return;
    }
    match response {
        ModelResponse::Failed(failure) => {
            telemetry::mark_failed(span, failure.class.as_str());
        }
        ModelResponse::Message(message) => {
            let tokens = [
                ("gen_ai.usage.input_tokens", message.usage.prompt),
                ("gen_ai.usage.output_tokens", message.usage.completion),
                ("gen_ai.usage.cache_read.input_tokens", message.usage.cached),
            ];
            for (name, tokens) in tokens {
                if let Some(tokens) = tokens {
                    span.record(name, telemetry::integer(tokens));
                }
            }
        }
    }
    let Ok(body) = serde_json::from_slice::<Value>(&raw.body) else { return };
    for (name, member) in [("gen_ai.response.id", "id"), ("gen_ai.response.model", "model")] {
        if let Some(text) = body.get(member).and_then(Value::as_str) {
            span.record(name, text);
        }
    }
    let reasons = finish_reasons(&body);
    if !reasons.is_empty() {
        telemetry::set_texts(span, "gen_ai.response.finish_reasons", reasons);
    }
}

/// The span of a tool that has run, which took microseconds. Its result is stored in the conversation.
pub(super) fn tool(result: &Message) -> Span {
    let name = result.name.as_deref().unwrap_or("unknown");
    tracing::info_span!(
        "execute_tool",
        otel.name = format!("execute_tool {name}"),
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = name,
        "gen_ai.tool.type" = "function",
        gen_ai.tool.call.id = result.call_id.as_deref(),
    )
}

/// Why the model ended, in the words of its endpoint: of chat completions, of messages, of responses.
fn finish_reasons(body: &Value) -> Vec<String> {
    let choices = body.get("choices").and_then(Value::as_array);
    let of_choices = choices.into_iter().flatten().filter_map(|choice| choice.get("finish_reason"));
    let others = body.get("stop_reason").into_iter().chain(body.get("status"));
    of_choices.chain(others).filter_map(|reason| reason.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_every_protocol_are_found() {
        let chat = serde_json::json!({ "choices": [{ "finish_reason": "tool_calls" }] });
        let messages = serde_json::json!({ "stop_reason": "end_turn" });
        let responses = serde_json::json!({ "status": "completed" });

        assert_eq!(finish_reasons(&chat), ["tool_calls"]);
        assert_eq!(finish_reasons(&messages), ["end_turn"]);
        assert_eq!(finish_reasons(&responses), ["completed"]);
    }
}
