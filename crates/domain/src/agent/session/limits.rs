//! What the day has used, against what it may use.

use rust_decimal::Decimal;

use super::{ModelRequest, Session};
use crate::agent::end_reason::EndReason;
use crate::agent::response::AssistantMessage;
use crate::agent::usage::{Spent, Usage, reserve};
use crate::values::arithmetic::exact_sum;

/// A cut answer may be this many times longer when it is asked for again.
const LONGER: u64 = 2;

/// The most that calls of unknown usage can have used, so that limits hold without their word.
#[derive(Default)]
pub(super) struct Bound {
    tokens: u64,
    cost: Decimal,
}

impl Session<'_> {
    /// The limit that forbids another request.
    pub(super) fn limit_reached(&self) -> Option<EndReason> {
        let limits = &self.settings.limits;
        let tokens = self.spent.tokens().saturating_add(self.bound.tokens);
        let cost = exact_sum(self.spent.cost.unwrap_or_default(), self.bound.cost).unwrap_or(Decimal::MAX);
        let reached = [
            (self.step >= limits.max_steps, EndReason::MaxSteps),
            (self.tool_calls >= limits.max_tool_calls, EndReason::MaxToolCalls),
            (limits.max_tokens.is_some_and(|most| tokens >= most), EndReason::MaxTokens),
            (limits.max_cost.is_some_and(|most| cost >= most), EndReason::MaxCost),
        ];
        reached.into_iter().find(|(reached, _)| *reached).map(|(_, reason)| reason)
    }

    /// The most tokens that the next answer may have.
    pub(super) fn completion_limit(&self) -> Option<u64> {
        let factor = if self.mood.longer { LONGER } else { 1 };
        self.settings.sampling.max_completion_tokens.map(|most| most.saturating_mul(factor))
    }

    /// Counts a call that was answered.
    pub(super) fn charge(&mut self, ask: &ModelRequest, message: &AssistantMessage) {
        let calls = message.tool_calls.iter().map(|call| call.arguments.len() + call.name.len());
        let reasoning = message.reasoning.as_deref().map_or(0, str::len);
        let answer = message.content.len() + reasoning + calls.sum::<usize>();
        self.count(ask, &message.usage, u64::try_from(answer).unwrap_or(u64::MAX));
    }

    /// Counts a call whose answer was never read.
    pub(super) fn charge_lost(&mut self, ask: &ModelRequest) {
        self.count(ask, &Usage::default(), 0);
    }

    fn count(&mut self, ask: &ModelRequest, usage: &Usage, answer_bytes: u64) {
        let settings = self.settings;
        let cost = usage.cost(settings.prices.as_ref(), settings.cost_basis);
        self.spent.add(&Spent::on(usage, cost));
        let request = u64::try_from(ask.body.len()).unwrap_or(u64::MAX);
        let answer = ask.max_completion_tokens.unwrap_or(answer_bytes);
        if !usage.is_known() {
            // What it did tell is counted already; counting it twice keeps the bound a bound.
            self.bound.tokens = self.bound.tokens.saturating_add(request).saturating_add(answer);
        }
        if let (None, Some(prices)) = (cost, &settings.prices) {
            let most = reserve(request, answer, prices);
            self.bound.cost = exact_sum(self.bound.cost, most).unwrap_or(Decimal::MAX);
        }
    }
}
