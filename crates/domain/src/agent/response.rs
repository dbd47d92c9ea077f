//! The response of an endpoint: what arrived, and what it means.
//!
//! Pure: the caller makes the call, cuts off bodies that are too large and notes the instant.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::EndpointUrl;
use super::secrets::Secrets;

mod event_stream;
mod failure;
mod message;
mod raw;
mod reported_error;
mod retry_after;
#[cfg(test)]
mod tests;

pub use failure::{Failure, FailureClass};
pub use message::{AssistantMessage, Finish, MessageClass, ToolCall};
pub use raw::{Delivery, RawResponse};
use reported_error::ReportedError;

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelResponse {
    /// The model answered; the message may be useless.
    Message(AssistantMessage),
    /// The endpoint returned no message.
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

/// Reads a response whose successful body is read by `message`. The result contains none of the keys in `secrets`.
pub(super) fn read(
    raw: &RawResponse,
    secrets: &Secrets,
    message: fn(&Value) -> Result<AssistantMessage, Failure>,
) -> ModelResponse {
    let read = status(raw).and_then(|status| read_body(status, raw, secrets, message));
    read.map_or_else(ModelResponse::Failed, ModelResponse::Message)
}

/// Which address it is stays in the logs: whoever reads results need not know the inside of a network.
const NOT_ALLOWED: &str = "the name of the endpoint's host leads to an inside, link-local or metadata address; correct the \
     model's address, or add the host to ENDPOINT_ALLOW if it is an inside one of yours";

/// The HTTP status, when there is a body to read.
fn status(raw: &RawResponse) -> Result<u16, Failure> {
    let (class, text) = match (raw.delivery, raw.status) {
        (Delivery::Whole | Delivery::Cut, Some(status)) => return Ok(status),
        (Delivery::TimedOut, _) | (Delivery::Whole, None) => (FailureClass::Timeout, "no answer in time"),
        (Delivery::Unreachable, _) => (FailureClass::Unreachable, "no connection"),
        (Delivery::TooLarge, _) => (FailureClass::TooLarge, "the answer is too large"),
        (Delivery::NotAllowed, _) => (FailureClass::NotAllowed, NOT_ALLOWED),
        (Delivery::Cut, None) => (FailureClass::Malformed, "the connection was cut"),
    };
    Err(Failure::new(class, text))
}

fn read_body(
    status: u16,
    raw: &RawResponse,
    secrets: &Secrets,
    message: fn(&Value) -> Result<AssistantMessage, Failure>,
) -> Result<AssistantMessage, Failure> {
    if (300..400).contains(&status) {
        return Err(redirected(raw, secrets));
    }
    let text = secrets.conceal(&String::from_utf8_lossy(&raw.body));
    // A body that is not UTF-8 is damaged, so a message in it may not be the one that was sent.
    let intact = std::str::from_utf8(&raw.body).is_ok();
    let text = text.trim_start_matches('\u{feff}');
    let json: Option<Value> = serde_json::from_str(text).ok().or_else(|| event_stream::whole(text));
    if let Some(error) = ReportedError::find(status, json.as_ref(), text) {
        return error.meaning(raw, secrets);
    }
    match json {
        Some(json @ Value::Object(_)) if intact => message(&json),
        Some(_) | None => Err(Failure::new(FailureClass::Malformed, "the answer is no JSON object")),
    }
}

/// A redirect. It is not followed: the key and the conversation would go where the endpoint says.
fn redirected(raw: &RawResponse, secrets: &Secrets) -> Failure {
    let target = raw.headers.get("location").and_then(|location| location.parse::<EndpointUrl>().ok());
    let target = target.map_or_else(|| "another address".to_owned(), |url| url.authority());
    let text = format!(
        "the endpoint redirects to {target}, which is not followed; if it is right, write it as the model's address"
    );
    Failure::new(FailureClass::Redirected, &secrets.redact(&text))
}
