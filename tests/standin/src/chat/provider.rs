//! Providers whose endpoints are imitated: they refuse what the real ones refuse, with the same errors.

mod chat;
mod chat_rules;
mod event_stream;
mod messages;
mod responses;
#[cfg(test)]
mod tests;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use serde_json::Value;

use super::completion::ChatRequest;
use super::script::ToolCall;

/// A provider, or a way in which an endpoint is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Knows every member of a request, and refuses others.
    OpenAi,
    /// Signs the first call of a message, and needs the signature back.
    Gemini,
    /// Needs `reasoning_details` back as they came.
    OpenRouter,
    /// Needs the reasoning back beside calls.
    DeepSeek,
    /// Needs the reasoning back, and has ids of its own form.
    Kimi,
    /// A server without a parser for the model's calls, which are text in the form of Hermes.
    Hermes,
    /// The same with a model that writes calls as Qwen does.
    Qwen,
    /// Takes ids of nine letters and digits only, and sends calls without an id.
    Mistral,
    /// Streams although it must not.
    Gateway,
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's Responses API.
    Responses,
}

/// How requests and responses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Chat,
    Messages,
    Responses,
}

/// An error in the provider's form.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// A response to write: a day's step with its calls, or the end of the day without.
pub(super) struct Step<'a> {
    pub(super) request: &'a ChatRequest,
    pub(super) tools: Option<&'a [ToolCall]>,
    pub(super) request_bytes: usize,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::OpenAi,
        Self::Gemini,
        Self::OpenRouter,
        Self::DeepSeek,
        Self::Kimi,
        Self::Hermes,
        Self::Qwen,
        Self::Mistral,
        Self::Gateway,
        Self::Anthropic,
        Self::Responses,
    ];

    /// The first part of its address.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::OpenRouter => "openrouter",
            Self::DeepSeek => "deepseek",
            Self::Kimi => "kimi",
            Self::Hermes => "hermes",
            Self::Qwen => "qwen",
            Self::Mistral => "mistral",
            Self::Gateway => "gateway",
            Self::Anthropic => "anthropic",
            Self::Responses => "responses",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }

    /// Why the request is refused, if it is.
    pub(super) fn refusal(self, request: &ChatRequest, body: &Value, headers: &HeaderMap) -> Option<Refusal> {
        match self {
            Self::Anthropic => messages::refusal(request, body, headers),
            Self::Responses => responses::refusal(request, body),
            of_chat => chat_rules::refusal(of_chat, request, body),
        }
    }

    /// The response as the provider writes it.
    pub(super) fn response(self, step: &Step<'_>) -> Value {
        match self {
            Self::Anthropic => messages::response(step),
            Self::Responses => responses::response(step),
            of_chat => chat::response(of_chat, step),
        }
    }

    /// The response as it goes over the wire.
    pub(super) fn sent(self, response: &Value) -> Response {
        if self == Self::Gateway {
            let body = Bytes::from(event_stream::of_completion(response));
            return ([("content-type", "text/event-stream")], body).into_response();
        }
        Json(response).into_response()
    }
}

impl Protocol {
    /// The request as one of chat completions, with which scripts and facts of the day are found.
    pub(super) fn as_chat(self, body: &Value) -> Option<Value> {
        match self {
            Self::Chat => Some(body.clone()),
            Self::Messages => messages::as_chat(body),
            Self::Responses => responses::as_chat(body),
        }
    }

    /// A response of no particular provider.
    pub(super) fn response(self, step: &Step<'_>) -> Value {
        match self {
            Self::Chat => chat::plain(step),
            Self::Messages => messages::response(step),
            Self::Responses => responses::response(step),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(self.body)).into_response()
    }
}

/// What a model thought in a step, by which the provider knows its own words again.
pub(super) fn thought(request: &ChatRequest, step: usize) -> String {
    format!("thought of {} on {} in step {step}", request.model, request.date)
}

/// A member of `object` that is not among `known`.
pub(super) fn unknown<'v>(object: &'v Value, known: &[&str]) -> Option<&'v str> {
    let names = object.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    names.into_iter().find(|name| !known.contains(name))
}
