//! The wire forms: chat completions, and the protocol of users' own agents.

use serde::{Deserialize, Serialize};

use super::response::{self, ModelResponse, RawResponse};
use super::secrets::Secrets;

pub(super) mod agent;
pub(super) mod chat;

/// How requests are written and answers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The chat completions that most endpoints understand.
    ChatCompletions,
    /// `modelday.agent/1`: an observation in, tool calls out.
    Agent,
}

impl Dialect {
    /// What an answer means. Keys in use appear in no part of it.
    pub fn classify(self, raw: &RawResponse, secrets: &Secrets) -> ModelResponse {
        match self {
            Self::ChatCompletions => response::classify(raw, secrets),
            Self::Agent => response::read(raw, secrets, agent::message),
        }
    }
}
