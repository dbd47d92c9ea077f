//! Tokens and dollars of calls: what one cost, what several cost together, what one can cost at most.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::values::arithmetic::{exact_product, exact_sum};

mod reported;
#[cfg(test)]
mod tests;

/// Prices are per this many tokens: 10 to this power.
const PER_MILLION: u32 = 6;

/// What one call used, as its endpoint reports it. `None` is unknown, not zero.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request, the cached and newly cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<u64>,
    /// Part of `prompt`: tokens read from the endpoint's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<u64>,
    /// Part of `prompt`: tokens written to the endpoint's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// Tokens of the response, those of reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<u64>,
    /// Part of `completion`: tokens of reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Dollars that the endpoint charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_cost: Option<Decimal>,
}

/// Dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPrices {
    /// Of request tokens that are neither read from nor written to the cache.
    pub input: Decimal,
    /// Of request tokens read from the cache; `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<Decimal>,
    /// Of request tokens written to the cache; `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<Decimal>,
    /// Of response tokens.
    pub output: Decimal,
}

/// Which cost counts when the endpoint reports one and prices are configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostBasis {
    /// The one by the configured prices, else the reported one.
    Prices,
    /// The reported one, else the one by the configured prices.
    #[default]
    Reported,
}

impl TokenPrices {
    /// The highest price of any kind of token.
    pub fn highest(&self) -> Decimal {
        self.highest_input().max(self.output)
    }

    fn highest_input(&self) -> Decimal {
        let others = [self.cached_input, self.cache_write];
        others.into_iter().flatten().fold(self.input, Decimal::max)
    }
}

impl Usage {
    /// Whether the endpoint reported the tokens.
    pub fn is_known(&self) -> bool {
        self.prompt.is_some() && self.completion.is_some()
    }

    /// Dollars that the call cost, exact; `None` when unknown.
    pub fn cost(&self, prices: Option<&TokenPrices>, basis: CostBasis) -> Option<Decimal> {
        let computed = prices.and_then(|prices| cost(self, prices));
        match basis {
            CostBasis::Prices => computed.or(self.reported_cost),
            CostBasis::Reported => self.reported_cost.or(computed),
        }
    }
}

/// Dollars that `usage` costs at `prices`, exact. `None` when the tokens are unknown or contradict each other (more
/// cached than there are), or when the amount needs more than 28 digits.
fn cost(usage: &Usage, prices: &TokenPrices) -> Option<Decimal> {
    let (prompt, completion) = (usage.prompt?, usage.completion?);
    let (cached, written) = (usage.cached.unwrap_or(0), usage.cache_write.unwrap_or(0));
    let fresh = prompt.checked_sub(cached)?.checked_sub(written)?;
    completion.checked_sub(usage.reasoning.unwrap_or(0))?;
    let parts = [
        (fresh, prices.input),
        (cached, prices.cached_input.unwrap_or(prices.input)),
        (written, prices.cache_write.unwrap_or(prices.input)),
        (completion, prices.output),
    ];
    parts.into_iter().try_fold(Decimal::ZERO, |sum, (tokens, price)| exact_sum(sum, charge(tokens, price)?))
}

/// The most dollars that a call can cost: a request token is at least one byte, and the response ends at
/// `max_completion_tokens`. `Decimal::MAX` when that is beyond exact arithmetic.
pub fn reserve(request_bytes: u64, max_completion_tokens: u64, prices: &TokenPrices) -> Decimal {
    let (prompt, completion) =
        (charge(request_bytes, prices.highest_input()), charge(max_completion_tokens, prices.output));
    prompt.zip(completion).and_then(|(prompt, answer)| exact_sum(prompt, answer)).unwrap_or(Decimal::MAX)
}

fn charge(tokens: u64, per_million: Decimal) -> Option<Decimal> {
    let per_token = exact_product(per_million, Decimal::new(1, PER_MILLION))?;
    exact_product(Decimal::from(tokens), per_token)
}

/// What several calls have used together: those of a day, a lane, a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UsageTotal {
    /// Calls that were sent.
    pub calls: u64,
    /// Request tokens, as far as reported.
    pub prompt_tokens: u64,
    /// Part of `prompt_tokens`: tokens read from the cache.
    pub cached: u64,
    /// Response tokens, as far as reported.
    pub completion: u64,
    /// Part of `completion`: tokens of reasoning.
    pub reasoning: u64,
    /// Dollars of the calls whose cost is known; `None` when no call's is.
    pub cost: Option<Decimal>,
    /// Calls whose tokens were not reported.
    pub unknown_calls: u64,
    /// Calls whose cost is unknown and missing in `cost`.
    pub unpriced_calls: u64,
}

impl UsageTotal {
    /// What one call used that cost `cost` dollars.
    pub fn of_call(usage: &Usage, cost: Option<Decimal>) -> Self {
        Self {
            calls: 1,
            prompt_tokens: usage.prompt.unwrap_or(0),
            cached: usage.cached.unwrap_or(0),
            completion: usage.completion.unwrap_or(0),
            reasoning: usage.reasoning.unwrap_or(0),
            cost,
            unknown_calls: u64::from(!usage.is_known()),
            unpriced_calls: u64::from(cost.is_none()),
        }
    }

    /// Adds what other calls used. Counts stay at their bounds rather than overflow.
    pub fn add(&mut self, other: &Self) {
        let counts = [
            (&mut self.calls, other.calls),
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.cached, other.cached),
            (&mut self.completion, other.completion),
            (&mut self.reasoning, other.reasoning),
            (&mut self.unknown_calls, other.unknown_calls),
            (&mut self.unpriced_calls, other.unpriced_calls),
        ];
        counts.into_iter().for_each(|(mine, more)| *mine = mine.saturating_add(more));
        self.cost = match (self.cost, other.cost) {
            (Some(mine), Some(more)) => {
                // Rounded when the exact sum has more than 28 digits.
                Some(exact_sum(mine, more).unwrap_or_else(|| mine.saturating_add(more)))
            }
            (mine, more) => mine.or(more),
        };
    }

    /// Request and response tokens together.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion)
    }
}
