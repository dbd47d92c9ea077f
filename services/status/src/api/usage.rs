//! What agents used, as responses show it.

use runtime::http::Number;
use serde::Serialize;
use storage::status::UsageRow;
use utoipa::ToSchema;

/// Sums over days. Prompt tokens include the cached ones, completion tokens the reasoning ones.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub(super) struct UsageDetail {
    /// Days whose usage is known.
    days: u64,
    calls: u64,
    prompt_tokens: u64,
    cached_tokens: u64,
    completion_tokens: u64,
    reasoning_tokens: u64,
    /// Dollars; null when no call's cost is known.
    cost: Option<Number>,
    /// Calls whose tokens are unknown and not counted.
    unknown_calls: u64,
    /// Calls whose cost is unknown and not counted.
    unpriced_calls: u64,
    possibly_paid_twice: u64,
    /// Calls of tools that the tools could use; null when they were not counted.
    tool_calls: Option<u64>,
}

impl From<UsageRow> for UsageDetail {
    fn from(row: UsageRow) -> Self {
        let spent = row.usage.spent;
        Self {
            days: row.days,
            calls: spent.calls,
            prompt_tokens: spent.prompt_tokens,
            cached_tokens: spent.cached,
            completion_tokens: spent.completion,
            reasoning_tokens: spent.reasoning,
            cost: spent.cost.map(Into::into),
            unknown_calls: spent.unknown_calls,
            unpriced_calls: spent.unpriced_calls,
            possibly_paid_twice: row.usage.possibly_paid_twice,
            tool_calls: row.usage.tool_calls,
        }
    }
}
