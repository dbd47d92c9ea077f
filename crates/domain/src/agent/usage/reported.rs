//! The usage object of a response, under the names that endpoints use.

use rust_decimal::Decimal;
use serde_json::Value;

use super::Usage;
use crate::agent::number;

impl Usage {
    /// Reads the `usage` object of a response; a member that is missing or no count stays unknown.
    pub fn from_json(usage: &Value) -> Self {
        let first = |paths: &[&str]| paths.iter().find_map(|path| count(usage.pointer(path)?));
        let reported = Self {
            prompt: first(&["/prompt_tokens", "/input_tokens"]),
            cached: first(&[
                "/prompt_tokens_details/cached_tokens",
                "/input_tokens_details/cached_tokens",
                "/prompt_cache_hit_tokens",
                "/cached_tokens",
                "/cache_read_input_tokens",
            ]),
            cache_write: first(&[
                "/prompt_tokens_details/cache_write_tokens",
                "/prompt_tokens_details/cache_creation_tokens",
                "/cache_creation_input_tokens",
            ]),
            completion: first(&["/completion_tokens", "/output_tokens"]),
            reasoning: first(&[
                "/completion_tokens_details/reasoning_tokens",
                "/output_tokens_details/reasoning_tokens",
                "/reasoning_tokens",
            ]),
            reported_cost: ["cost", "total_cost", "estimated_cost"]
                .iter()
                .find_map(|name| dollars(usage.get(name)?)),
        };
        reported.with_hidden(first(&["/total_tokens"]))
    }

    /// Adds the tokens of reasoning that some endpoints count in `total` alone; they are billed as those of the response.
    fn with_hidden(self, total: Option<u64>) -> Self {
        let (Some(prompt), Some(completion), Some(total)) = (self.prompt, self.completion, total) else {
            return self;
        };
        let hidden = total.saturating_sub(prompt).saturating_sub(completion);
        // Tokens of the cache may stand beside those of the request as well.
        let is_cached = self.cached.or(self.cache_write).is_some_and(|tokens| tokens > 0);
        if hidden == 0 || (is_cached && self.reasoning != Some(hidden)) {
            return self;
        }
        let reasoning = self.reasoning.unwrap_or(hidden);
        Self { completion: completion.checked_add(hidden), reasoning: Some(reasoning), ..self }
    }

    /// Reads the `usage` object of the Messages API, which counts the tokens of the cache beside those of the request.
    pub fn from_messages_json(usage: &Value) -> Self {
        let tokens = |name: &str| count(usage.get(name)?);
        let (cached, written) = (tokens("cache_read_input_tokens"), tokens("cache_creation_input_tokens"));
        let of_cache = [cached, written].into_iter().flatten().fold(0, u64::saturating_add);
        let prompt = tokens("input_tokens").map(|fresh| fresh.saturating_add(of_cache));
        Self { prompt, cached, cache_write: written, ..Self::from_json(usage) }
    }
}

/// A count of tokens; some endpoints write whole numbers as `12.0`.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = number::decimal(&value.as_f64()?.to_string())?;
        u64::try_from(number.is_integer().then_some(number)?).ok()
    })
}

fn dollars(value: &Value) -> Option<Decimal> {
    let amount = match value {
        Value::Number(number) => number::decimal(&number.to_string()),
        Value::String(text) => number::decimal(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    amount.filter(|amount| *amount >= Decimal::ZERO)
}
