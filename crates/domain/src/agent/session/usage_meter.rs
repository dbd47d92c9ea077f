//! What the calls of a day have used.

use rust_decimal::Decimal;

use super::request::ModelRequest;
use crate::agent::response::AssistantMessage;
use crate::agent::settings::AgentSettings;
use crate::agent::usage::{Usage, UsageTotal, reserve};
use crate::values::arithmetic::exact_sum;

/// What the calls of a day have used as reported. A call of unknown usage counts with the most it can have used, so
/// that limits hold without a report.
#[derive(Default)]
pub(super) struct UsageMeter {
    /// What was reported.
    pub(super) total: UsageTotal,
    max_unknown_tokens: u64,
    max_unknown_cost: Decimal,
}

impl UsageMeter {
    /// Request and response tokens that count against a limit.
    pub(super) fn tokens(&self) -> u64 {
        self.total.tokens().saturating_add(self.max_unknown_tokens)
    }

    /// Dollars that count against a limit.
    pub(super) fn cost(&self) -> Decimal {
        exact_sum(self.total.cost.unwrap_or_default(), self.max_unknown_cost).unwrap_or(Decimal::MAX)
    }

    /// Adds a call that returned `message`.
    pub(super) fn add(
        &mut self,
        settings: &AgentSettings,
        request: &ModelRequest,
        message: &AssistantMessage,
    ) {
        let calls = message.tool_calls.iter().map(|call| call.arguments.len() + call.name.len());
        let reasoning = message.reasoning.as_deref().map_or(0, str::len);
        let bytes = message.content.len() + reasoning + calls.sum::<usize>();
        self.count(settings, request, &message.usage, u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Adds a call whose response was lost.
    pub(super) fn add_lost(&mut self, settings: &AgentSettings, request: &ModelRequest) {
        self.count(settings, request, &Usage::default(), 0);
    }

    fn count(
        &mut self,
        settings: &AgentSettings,
        request: &ModelRequest,
        usage: &Usage,
        response_bytes: u64,
    ) {
        let cost = usage.cost(settings.prices.as_ref(), settings.cost_basis);
        self.total.add(&UsageTotal::of_call(usage, cost));
        let request_bytes = u64::try_from(request.body.len()).unwrap_or(u64::MAX);
        let response_tokens = request.max_completion_tokens.unwrap_or(response_bytes);
        if !usage.is_known() {
            // A part that was reported counts twice, which keeps this an upper bound.
            let max = request_bytes.saturating_add(response_tokens);
            self.max_unknown_tokens = self.max_unknown_tokens.saturating_add(max);
        }
        if let (None, Some(prices)) = (cost, &settings.prices) {
            let max = reserve(request_bytes, response_tokens, prices);
            self.max_unknown_cost = exact_sum(self.max_unknown_cost, max).unwrap_or(Decimal::MAX);
        }
    }
}
