//! Tokens and money of calls: what one cost, what a day has spent, what one more may cost at most.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::values::arithmetic::{exact_product, exact_sum};

mod reported;
#[cfg(test)]
mod tests;

/// Prices are per this many tokens: 10 to this power.
const PER_MILLION: u32 = 6;

/// What an endpoint says one call used. What it does not say is `None`: unknown, not zero.
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
    /// Tokens of the answer, those spent on reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<u64>,
    /// Part of `completion`: tokens spent on reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Dollars the endpoint says it charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_cost: Option<Decimal>,
}

/// Dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPrices {
    /// Of fresh request tokens.
    pub input: Decimal,
    /// Of request tokens read from the cache; those cost as fresh ones when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<Decimal>,
    /// Of request tokens written to the cache; those cost as fresh ones when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<Decimal>,
    /// Of answer tokens.
    pub output: Decimal,
}

/// Which cost counts when an endpoint reports one and prices are configured too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostBasis {
    /// The configured prices; the reported cost where they give none.
    Prices,
    /// The reported cost; the configured prices where there is none.
    #[default]
    Reported,
}

impl TokenPrices {
    /// The most that a token of any kind costs, per million.
    pub fn highest(&self) -> Decimal {
        self.highest_input().max(self.output)
    }

    fn highest_input(&self) -> Decimal {
        let others = [self.cached_input, self.cache_write];
        others.into_iter().flatten().fold(self.input, Decimal::max)
    }
}

impl Usage {
    /// Whether the endpoint said how many tokens the call used.
    pub fn is_known(&self) -> bool {
        self.prompt.is_some() && self.completion.is_some()
    }

    /// Dollars the call cost, exact; `None` when nobody can tell.
    pub fn cost(&self, prices: Option<&TokenPrices>, basis: CostBasis) -> Option<Decimal> {
        let computed = prices.and_then(|prices| cost(self, prices));
        match basis {
            CostBasis::Prices => computed.or(self.reported_cost),
            CostBasis::Reported => self.reported_cost.or(computed),
        }
    }
}

/// Dollars that `usage` costs at `prices`, exact. `None` when the tokens are unknown, contradict
/// themselves (more cached than there were), or the amount needs more than 28 digits.
pub fn cost(usage: &Usage, prices: &TokenPrices) -> Option<Decimal> {
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

/// The most dollars that a call can cost: a token of the request is at least one byte of it, and
/// the answer ends at `max_completion_tokens`. `Decimal::MAX` when that is beyond exact arithmetic.
pub fn reserve(request_bytes: u64, max_completion_tokens: u64, prices: &TokenPrices) -> Decimal {
    let (prompt, completion) =
        (charge(request_bytes, prices.highest_input()), charge(max_completion_tokens, prices.output));
    prompt.zip(completion).and_then(|(prompt, answer)| exact_sum(prompt, answer)).unwrap_or(Decimal::MAX)
}

fn charge(tokens: u64, per_million: Decimal) -> Option<Decimal> {
    let per_token = exact_product(per_million, Decimal::new(1, PER_MILLION))?;
    exact_product(Decimal::from(tokens), per_token)
}

/// What calls have used together. Adds up over a day, a lane, a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// Calls that were sent.
    pub calls: u64,
    /// Request tokens of the calls that told them.
    pub prompt_tokens: u64,
    /// Of these, tokens read from the cache.
    pub cached: u64,
    /// Answer tokens of the calls that told them.
    pub completion: u64,
    /// Of these, tokens spent on reasoning.
    pub reasoning: u64,
    /// Dollars of the calls whose cost is known; `None` when no call's is.
    pub cost: Option<Decimal>,
    /// Calls that did not tell their tokens.
    pub unknown_calls: u64,
    /// Calls whose cost is unknown, so that `cost` is too low by these.
    pub unpriced_calls: u64,
}

impl Spent {
    /// What one call used, which cost `cost` dollars.
    pub fn on(usage: &Usage, cost: Option<Decimal>) -> Self {
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
            (Some(mine), Some(more)) => Some(exact_sum(mine, more).unwrap_or(Decimal::MAX)),
            (mine, more) => mine.or(more),
        };
    }

    /// Request and answer tokens together.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion)
    }
}
