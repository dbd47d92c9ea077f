//! What is configured about an agent: its model, its limits, its prompt.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::prompt::Prompt;
use super::usage::{CostBasis, TokenPrices};

/// All that decides an agent's requests, except the market and the portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// The model's name at the endpoint.
    pub basemodel: String,
    /// Where a day ends at the latest.
    #[serde(default)]
    pub limits: Limits,
    /// How the model draws its answers.
    #[serde(default)]
    pub sampling: Sampling,
    /// What the model is told at the beginning.
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

/// Where a day ends at the latest. Each is looked at before the model is asked again, so that the
/// last answer may exceed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Times the model is asked.
    pub max_steps: u32,
    /// Tools used; calls beyond it are not run.
    pub max_tool_calls: u32,
    /// Request and answer tokens. Calls that do not tell theirs count with their bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Dollars. Calls whose cost is unknown count with the most they can have cost, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<Decimal>,
    /// Seconds a day may take; kept by the shell.
    pub wall_time_seconds: u64,
    /// Bytes of an answer's body; kept by the shell.
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

/// How the model draws its answers; what is absent is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// 0 is the least random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Decimal>,
    /// The share of likely tokens to draw from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Decimal>,
    /// For endpoints that can repeat themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// The most tokens of an answer, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u64>,
    /// Other members of the request that an endpoint wants, e.g. `reasoning_effort`. They replace
    /// neither the conversation nor the tools nor what is named here.
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
