//! Why an endpoint returned no message.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kind of a failure. It decides whether the call is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Too many requests for now.
    Throttled,
    /// The account has no credit left.
    NoMoney,
    /// The key is missing, wrong, or does not allow this.
    BadCredentials,
    /// The endpoint does not know the model.
    BadModel,
    /// The conversation is longer than the model can take.
    TooLong,
    /// The endpoint refuses the request for another reason.
    BadRequest,
    /// The endpoint failed.
    ServerError,
    /// No answer in time.
    Timeout,
    /// The answer cannot be read, or was cut.
    Malformed,
    /// No connection.
    Unreachable,
    /// The answer was larger than allowed.
    TooLarge,
    /// The endpoint names another address, which is not followed.
    Redirected,
    /// We may not call the endpoint, or not send it the key.
    NotAllowed,
}

impl FailureClass {
    /// All classes.
    pub const ALL: [Self; 13] = [
        Self::Throttled,
        Self::NoMoney,
        Self::BadCredentials,
        Self::BadModel,
        Self::TooLong,
        Self::BadRequest,
        Self::ServerError,
        Self::Timeout,
        Self::Malformed,
        Self::Unreachable,
        Self::TooLarge,
        Self::Redirected,
        Self::NotAllowed,
    ];

    /// The class's stable name, for rows and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::NoMoney => "no_money",
            Self::BadCredentials => "bad_credentials",
            Self::BadModel => "bad_model",
            Self::TooLong => "too_long",
            Self::BadRequest => "bad_request",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Malformed => "malformed",
            Self::Unreachable => "unreachable",
            Self::TooLarge => "too_large",
            Self::Redirected => "redirected",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// Whether the call may have been billed although its response cannot be used.
    pub fn may_be_billed(self) -> bool {
        match self {
            Self::Timeout | Self::Malformed | Self::TooLarge => true,
            Self::Throttled
            | Self::NoMoney
            | Self::BadCredentials
            | Self::BadModel
            | Self::TooLong
            | Self::BadRequest
            | Self::ServerError
            | Self::Unreachable
            | Self::Redirected
            | Self::NotAllowed => false,
        }
    }
}

/// A call that gave no message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its kind.
    pub class: FailureClass,
    /// The endpoint's error text, without keys, about 500 characters or fewer.
    pub text: String,
    /// Shortest wait before the next request that the endpoint requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure that the endpoint did not describe.
    pub fn new(class: FailureClass, text: &str) -> Self {
        Self { class, text: text.to_owned(), retry_after: None }
    }
}
