//! An error that an endpoint reports, under any HTTP status.

use serde_json::Value;

use super::failure::{Failure, FailureClass};
use super::message::{AssistantMessage, Finish};
use super::raw::RawResponse;
use super::retry_after;
use crate::agent::secrets::Secrets;

/// The error object of a response.
pub(super) struct ReportedError {
    /// `code`, `type` and `status`, as far as they are words; lower case.
    words: Vec<String>,
    /// Numbers from 400 to 599: those in the error, then the HTTP status.
    numbers: Vec<u16>,
    message: String,
    error: Value,
}

/// What a word or a number means.
enum Verdict {
    Class(FailureClass),
    Filtered,
}

impl ReportedError {
    /// The error in a response; `None` when it is a success that reports none.
    pub(super) fn find(status: u16, json: Option<&Value>, text: &str) -> Option<Self> {
        let body = json.map(|json| json.get(0).filter(|_| json.is_array()).unwrap_or(json));
        let reported = |body: &&Value| {
            let places = ["/error", "/choices/0/error"];
            places.iter().find_map(|place| body.pointer(place)).filter(|error| !is_blank(error)).cloned()
        };
        let success = (200..300).contains(&status);
        let error = match body.as_ref().and_then(reported) {
            Some(error) => error,
            None if success => return finished_with_error(body),
            None => body.cloned().unwrap_or_default(),
        };
        let fields = || ["code", "type", "status"].iter().filter_map(|name| error.get(name));
        // A bare text is the code itself when it is one word.
        let bare = error.as_str().filter(|text| !text.contains(char::is_whitespace));
        let words = fields().filter_map(Value::as_str).chain(bare).map(str::to_ascii_lowercase);
        let number = |value: &Value| match value {
            Value::String(digits) => digits.parse().ok(),
            value => value.as_u64().and_then(|number| u16::try_from(number).ok()),
        };
        let numbers = fields().filter_map(number).chain([status]);
        Some(Self {
            words: words.collect(),
            numbers: numbers.filter(|number| (400..600).contains(number)).collect(),
            message: message_of(&error).unwrap_or_else(|| text.to_owned()),
            error,
        })
    }

    /// The message or the failure that the error stands for.
    pub(super) fn meaning(&self, raw: &RawResponse, secrets: &Secrets) -> Result<AssistantMessage, Failure> {
        match self.verdict() {
            Verdict::Filtered => Ok(AssistantMessage {
                content: secrets.redact(&self.message),
                finish: Finish::ContentFilter,
                ..AssistantMessage::empty()
            }),
            Verdict::Class(class) => {
                let retry_after = retry_after::of(raw, &self.error, &self.message);
                Err(Failure { class, text: secrets.redact(&self.message), retry_after })
            }
        }
    }

    /// Words that forbid a retry come first, then numbers that do, then the other words.
    fn verdict(&self) -> Verdict {
        let of_words = || self.words.iter().filter_map(|word| of_word(word));
        let is_final = |verdict: &Verdict| match verdict {
            Verdict::Filtered => true,
            Verdict::Class(class) => !matches!(class, FailureClass::Throttled | FailureClass::ServerError),
        };
        let refused = || self.numbers.iter().find(|number| (401..=403).contains(*number)).copied();
        of_words()
            .find(is_final)
            .or_else(|| refused().map(of_number))
            .or_else(|| of_words().next())
            .or_else(|| self.of_message())
            .or_else(|| self.numbers.first().copied().map(of_number))
            .unwrap_or(Verdict::Class(FailureClass::ServerError))
    }

    /// The meaning of the text, for endpoints that refuse a request without a code.
    fn of_message(&self) -> Option<Verdict> {
        if !matches!(self.numbers.first(), Some(400 | 404 | 422)) {
            return None;
        }
        let message = self.message.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        if has(&[
            "context length",
            "context window",
            "prompt is too long",
            "context limit",
            "too many tokens",
        ]) {
            Some(Verdict::Class(FailureClass::TooLong))
        } else if has(&["credit balance"]) {
            Some(Verdict::Class(FailureClass::NoMoney))
        } else if has(&["api key"]) {
            Some(Verdict::Class(FailureClass::BadCredentials))
        } else if has(&["not a valid model", "model not found", "unknown model", "model does not exist"]) {
            Some(Verdict::Class(FailureClass::BadModel))
        } else {
            None
        }
    }
}

fn is_blank(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => false,
    }
}

/// Reasons for the end of a choice that stand for an error, not for the model's own end.
const ERRORS: [&str; 4] = ["error", "network_error", "insufficient_system_resource", "abort"];

/// A choice that ended with an error that has no description.
fn finished_with_error(body: Option<&Value>) -> Option<ReportedError> {
    let reason = body?.pointer("/choices/0/finish_reason")?.as_str()?;
    let message = match reason {
        "error" => "the answer ended with an error".to_owned(),
        reason => format!("the answer ended with an error: {reason}"),
    };
    let error = || ReportedError { words: Vec::new(), numbers: Vec::new(), message, error: Value::Null };
    ERRORS.contains(&reason).then(error)
}

/// The error's own words, with those of the provider behind a gateway.
fn message_of(error: &Value) -> Option<String> {
    let own = error.as_str().or_else(|| error.get("message")?.as_str());
    let own = own.or_else(|| error.get("detail")?.as_str())?;
    let cause = error.pointer("/metadata/raw").filter(|cause| !cause.is_null());
    Some(match cause {
        Some(Value::String(cause)) => format!("{own}: {cause}"),
        Some(cause) => format!("{own}: {cause}"),
        None => own.to_owned(),
    })
}

fn of_word(word: &str) -> Option<Verdict> {
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    let class = if has(&["content_filter", "content_policy", "moderation"]) {
        return Some(Verdict::Filtered);
    } else if has(&[
        "permission",
        "authentication",
        "unauthorized",
        "api_key",
        "unauthenticated",
        "deactivated",
    ]) {
        FailureClass::BadCredentials
    } else if has(&["insufficient_", "credit", "billing", "payment_required", "arrearage"]) {
        FailureClass::NoMoney
    } else if has(&["context_length", "context_window", "string_above_max_length", "request_too_large"]) {
        FailureClass::TooLong
    } else if has(&["model_not", "invalid_model", "unknown_model", "not_found_error", "unsupported_model"]) {
        FailureClass::BadModel
    } else if has(&["rate_limit", "slow_down", "too_many_requests", "resource_exhausted", "throttl"]) {
        FailureClass::Throttled
    } else if has(&["server_error", "overloaded", "internal", "unavailable", "api_error", "timeout"]) {
        FailureClass::ServerError
    } else {
        return None;
    };
    Some(Verdict::Class(class))
}

fn of_number(number: u16) -> Verdict {
    Verdict::Class(match number {
        401 | 403 => FailureClass::BadCredentials,
        402 => FailureClass::NoMoney,
        404 => FailureClass::BadModel,
        408 => FailureClass::Timeout,
        413 => FailureClass::TooLong,
        429 => FailureClass::Throttled,
        409 | 425 | 500.. => FailureClass::ServerError,
        _ => FailureClass::BadRequest,
    })
}
