//! The protocols of endpoints: chat completions, and that of users' own agents.

use serde::{Deserialize, Serialize};

use super::response::{self, ModelResponse, RawResponse};
use super::secrets::Secrets;

pub(super) mod agent_protocol;
mod chat_call;
pub(super) mod chat_request;
mod chat_response;
mod text_calls;

/// How requests are written and responses read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The chat completions of common endpoints.
    ChatCompletions,
    /// `modelday.agent/1`: an observation in, tool calls out.
    Agent,
}

impl Dialect {
    /// What a response means. The result contains none of the keys in `secrets`.
    pub fn classify(self, raw: &RawResponse, secrets: &Secrets) -> ModelResponse {
        match self {
            Self::ChatCompletions => response::read(raw, secrets, chat_response::message),
            Self::Agent => response::read(raw, secrets, agent_protocol::message),
        }
    }
}
