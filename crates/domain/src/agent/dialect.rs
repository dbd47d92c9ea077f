//! The protocols of endpoints: those of language models, and that of users' own agents.

use serde::{Deserialize, Serialize};

use super::response::{self, ModelResponse, RawResponse};
use super::secrets::Secrets;
use super::settings::{AgentSettings, Sampling};
use super::transcript::Transcript;

pub(super) mod agent_protocol;
mod chat_call;
mod chat_request;
mod chat_response;
mod messages_request;
mod messages_response;
mod past_call;
mod responses_request;
mod responses_response;
mod sampling;
mod text_calls;

/// How requests are written and responses read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI's chat completions, which most endpoints have.
    ChatCompletions,
    /// Anthropic's Messages API.
    Messages,
    /// OpenAI's Responses API.
    Responses,
    /// `modelday.agent/1`: an observation in, tool calls out.
    Agent,
    /// The same, call by call from a client that comes to us over MCP.
    Mcp,
}

impl Dialect {
    /// What a response means. The result contains none of the keys in `secrets`.
    pub fn classify(self, raw: &RawResponse, secrets: &Secrets) -> ModelResponse {
        let message = match self {
            Self::ChatCompletions => chat_response::message,
            Self::Messages => messages_response::message,
            Self::Responses => responses_response::message,
            Self::Agent | Self::Mcp => agent_protocol::message,
        };
        response::read(raw, secrets, message)
    }

    /// The address of calls to a model whose configured address is `url`. People copy the address of the calls
    /// themselves, too.
    pub fn address(self, url: &str) -> String {
        let route = match self {
            Self::ChatCompletions => "/chat/completions",
            Self::Messages => "/messages",
            Self::Responses => "/responses",
            Self::Agent | Self::Mcp => return url.to_owned(),
        };
        // Providers write the address of messages without its version, as other programs need it.
        let version = if self == Self::Messages && !url.ends_with("/v1") { "/v1" } else { "" };
        if url.ends_with(route) { url.to_owned() } else { format!("{url}{version}{route}") }
    }

    /// The limit of a response's tokens that requests have, if any.
    pub(super) fn response_limit(self, sampling: &Sampling) -> Option<u64> {
        match self {
            Self::Messages => Some(messages_request::limit(sampling)),
            Self::ChatCompletions | Self::Responses | Self::Agent | Self::Mcp => {
                sampling.max_completion_tokens
            }
        }
    }

    /// The body of a request to a language model. Its members are in alphabetical order, so that equal requests are
    /// equal bytes. `None` for a user's own agent, whose requests are not made from the conversation. `is_restated` says
    /// that tools show earlier prices in today's shares.
    pub(super) fn request(
        self,
        settings: &AgentSettings,
        transcript: &Transcript,
        max_completion_tokens: Option<u64>,
        is_restated: bool,
    ) -> Option<String> {
        let request = match self {
            Self::ChatCompletions => chat_request::request,
            Self::Messages => messages_request::request,
            Self::Responses => responses_request::request,
            Self::Agent | Self::Mcp => return None,
        };
        Some(request(settings, transcript, max_completion_tokens, is_restated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_calls_is_found_from_every_address_that_people_write() {
        let check = |dialect: Dialect, url: &str, expected: &str| assert_eq!(dialect.address(url), expected);

        let chat = "https://a.example/v1/chat/completions";
        check(Dialect::ChatCompletions, "https://a.example/v1", chat);
        check(Dialect::ChatCompletions, chat, chat);
        let messages = "https://a.example/anthropic/v1/messages";
        check(Dialect::Messages, "https://a.example/anthropic", messages);
        check(Dialect::Messages, "https://a.example/anthropic/v1", messages);
        check(Dialect::Messages, messages, messages);
        let responses = "https://a.example/v1/responses";
        check(Dialect::Responses, "https://a.example/v1", responses);
        check(Dialect::Responses, responses, responses);
        check(Dialect::Agent, "https://a.example", "https://a.example");
    }
}
