//! An agent's settings: its model, its limits, its prompt.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::prompt::Prompt;
use super::usage::{CostBasis, TokenPrices};

/// Everything that decides an agent's requests, except the market and the portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// The model's name at the endpoint.
    pub basemodel: String,
    /// The limits of a day.
    #[serde(default)]
    pub limits: Limits,
    /// How the model samples its messages.
    #[serde(default)]
    pub sampling: Sampling,
    /// The prompt of a day.
    #[serde(default)]
    pub prompt: Prompt,
    /// Whether the model may search the web.
    #[serde(default)]
    pub search: bool,
    /// Prices of tokens; without them only reported costs are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<TokenPrices>,
    /// Which cost counts when there are two.
    #[serde(default)]
    pub cost_basis: CostBasis,
}

/// The limits of a day. Each is compared before the next request, so the last response may exceed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests to the model.
    pub max_steps: u32,
    /// Tool calls; those beyond it are not run.
    pub max_tool_calls: u32,
    /// Request and response tokens. A call of unknown tokens counts with its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Dollars. A call of unknown cost counts with the most it can have cost, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<Decimal>,
    /// Seconds of work on a day; the caller enforces it.
    pub wall_time_seconds: u64,
    /// Bytes of a response's body; the caller enforces it.
    pub max_answer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_steps: 30,
            max_tool_calls: 200,
            max_tokens: None,
            max_cost: None,
            wall_time_seconds: 1_800,
            max_answer_bytes: 1 << 20,
        }
    }
}

/// How the model samples its messages; what is absent is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// 0 is the least random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Decimal>,
    /// The share of likely tokens to draw from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Decimal>,
    /// The random seed, for endpoints that take one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Limit of tokens of a response, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u64>,
    /// Other members of the request, e.g. `reasoning_effort`. They replace neither the conversation nor the tools
    /// nor a member named here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_s_name_is_enough() {
        let settings: AgentSettings = serde_json::from_str(r#"{"basemodel":"gpt-5"}"#).unwrap();

        assert_eq!(settings.limits.max_steps, 30);
        assert_eq!(settings.prompt, Prompt::default());
        assert!(!settings.search);
    }

    #[test]
    fn settings_are_read_as_they_were_written() {
        let text = r#"{"basemodel":"m","limits":{"max_steps":3,"max_cost":"0.10"},"search":true,
            "sampling":{"temperature":0.7,"seed":-1,"extra":{"reasoning_effort":"low"}},
            "prices":{"input":"1.25","output":10},"cost_basis":"reported"}"#;
        let settings: AgentSettings = serde_json::from_str(text).unwrap();

        let again = serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();

        assert_eq!(settings, again);
        assert_eq!(settings.sampling.temperature.unwrap().to_string(), "0.7");
        assert_eq!(settings.limits.max_tool_calls, 200);
    }

    #[test]
    fn a_misspelt_limit_is_an_error() {
        assert!(serde_json::from_str::<AgentSettings>(r#"{"basemodel":"m","limits":{"steps":3}}"#).is_err());
    }
}
