//! What is wrong with an answer of an endpoint, what was expected, and what to do about it: for people who try an agent.
//!
//! A model-day forgives much and goes on; here the same answer is judged strictly.

mod answer;
mod failure;
#[cfg(test)]
mod tests;
mod tool_result;

use serde::{Deserialize, Serialize};

pub use answer::of_message;
pub use failure::of_failure;
pub use tool_result::of_tool_result;

use super::dialect::Dialect;
use super::endpoint::EndpointUrl;

/// What is wrong, in three sentences for people. `expected` and `fix` may be empty when the problem says it all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What is wrong.
    pub problem: String,
    /// What would have been right.
    pub expected: String,
    /// What to do about it.
    pub fix: String,
}

/// The endpoint as it is configured.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// Its protocol.
    pub dialect: Dialect,
    /// The address of the calls.
    pub address: &'a str,
    /// The environment variable of its key.
    pub key_variable: Option<&'a str>,
    /// The model's name at the endpoint.
    pub basemodel: &'a str,
    /// Seconds without a byte after which a call is given up.
    pub timeout_seconds: u64,
    /// The largest answer, in bytes.
    pub max_answer_bytes: u64,
}

impl Tried<'_> {
    fn is_own_agent(&self) -> bool {
        matches!(self.dialect, Dialect::Agent | Dialect::Mcp)
    }

    /// The key of the model's entry that holds the address.
    fn address_field(&self) -> &'static str {
        if self.is_own_agent() { "url" } else { "base_url" }
    }

    fn host(&self) -> String {
        self.address.parse().map_or_else(|_| self.address.to_owned(), |url: EndpointUrl| url.authority())
    }
}

fn diagnosis(problem: String, expected: String, fix: String) -> Diagnosis {
    Diagnosis { problem, expected, fix }
}
