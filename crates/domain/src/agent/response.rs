//! What came back from an endpoint, and what it means.
//!
//! Pure: the shell makes the call, cuts off bodies that are too large and notes the instant.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secrets::Secrets;

mod chat;
mod failure;
mod message;
mod reported;
mod retry_after;
#[cfg(test)]
mod tests;

pub(super) use chat::tool_call;
pub use failure::{Failure, FailureClass};
pub use message::{AssistantMessage, Finish, MessageClass, ToolCall};
use reported::ReportedError;

/// How the answer's bytes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// All of them came.
    Whole,
    /// The connection was closed or reset after the request was sent.
    Cut,
    /// None came in time, or they stopped coming.
    TimedOut,
    /// No connection was made: the request never left.
    Unreachable,
    /// There were more than the limit, and the rest was not read.
    TooLarge,
}

/// An answer as it came, before anybody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    /// How its bytes ended.
    pub delivery: Delivery,
    /// The HTTP status; `None` when none came.
    pub status: Option<u16>,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// When it came; dates in headers without one of the endpoint's own are measured against it.
    pub received_at: DateTime<Utc>,
}

impl RawResponse {
    /// An answer that came in full.
    pub fn whole(
        status: u16,
        headers: BTreeMap<String, String>,
        body: Vec<u8>,
        received_at: DateTime<Utc>,
    ) -> Self {
        Self { delivery: Delivery::Whole, status: Some(status), headers, body, received_at }
    }

    /// No answer, or not all of one, for the reason `delivery`.
    pub fn none(delivery: Delivery, received_at: DateTime<Utc>) -> Self {
        Self { delivery, status: None, headers: BTreeMap::new(), body: Vec::new(), received_at }
    }
}

/// What an answer means: something the model said, or why it said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelResponse {
    /// The model answered, if perhaps nothing that helps.
    Message(AssistantMessage),
    /// The endpoint did not let it answer.
    Failed(Failure),
}

impl ModelResponse {
    /// The class's stable name, e.g. `tool_calls` or `throttled`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Message(message) => message.class().as_str(),
            Self::Failed(failure) => failure.class.as_str(),
        }
    }
}

/// What a chat-completions answer means. Keys in use appear in no part of it.
pub fn classify(raw: &RawResponse, secrets: &Secrets) -> ModelResponse {
    read(raw, secrets, chat::message)
}

/// As [`classify`], with `message` reading the body of a success.
pub(super) fn read(
    raw: &RawResponse,
    secrets: &Secrets,
    message: fn(&Value) -> Result<AssistantMessage, Failure>,
) -> ModelResponse {
    let status = match (raw.delivery, raw.status) {
        (Delivery::TimedOut, _) | (Delivery::Whole, None) => {
            return ModelResponse::Failed(Failure::new(FailureClass::Timeout, "no answer in time"));
        }
        (Delivery::Unreachable, _) => {
            return ModelResponse::Failed(Failure::new(FailureClass::Unreachable, "no connection"));
        }
        (Delivery::TooLarge, _) => {
            return ModelResponse::Failed(Failure::new(FailureClass::TooLarge, "the answer is too large"));
        }
        (Delivery::Cut, None) => {
            return ModelResponse::Failed(Failure::new(FailureClass::Malformed, "the connection was cut"));
        }
        (Delivery::Whole | Delivery::Cut, Some(status)) => status,
    };
    let text = secrets.conceal(&String::from_utf8_lossy(&raw.body));
    // A body that is not UTF-8 is damaged; what it still says may not be what was meant.
    let intact = std::str::from_utf8(&raw.body).is_ok();
    let json: Option<Value> = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok();
    if let Some(error) = ReportedError::find(status, json.as_ref(), &text) {
        return error.meaning(raw, secrets);
    }
    let meaning = match json {
        Some(json @ Value::Object(_)) if intact => message(&json),
        Some(_) | None => Err(Failure::new(FailureClass::Malformed, "the answer is no JSON object")),
    };
    meaning.map_or_else(ModelResponse::Failed, ModelResponse::Message)
}
