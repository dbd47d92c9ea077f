//! Agents and their reports on the wire.

use domain::agent::{AgentReport, AgentSettings, Dialect, UsageTotal};
use domain::job::AgentModel;

use crate::error::ContractError;
use crate::fields::{amount, decimal_text, optional};
use crate::wire;

impl TryFrom<wire::AgentModel> for AgentModel {
    type Error = ContractError;

    fn try_from(agent: wire::AgentModel) -> Result<Self, Self::Error> {
        let dialect = match agent.dialect() {
            wire::AgentDialect::ChatCompletions => Dialect::ChatCompletions,
            wire::AgentDialect::OwnAgent => Dialect::Agent,
            wire::AgentDialect::Mcp => Dialect::Mcp,
            wire::AgentDialect::Messages => Dialect::Messages,
            wire::AgentDialect::Responses => Dialect::Responses,
            wire::AgentDialect::Unspecified => return Err(ContractError::missing("models.agent.dialect")),
        };
        let settings: AgentSettings = serde_json::from_str(&agent.settings)
            .map_err(|problem| ContractError::invalid("models.agent.settings", problem))?;
        Ok(Self {
            dialect,
            url: optional(&agent.url).ok_or(ContractError::missing("models.agent.url"))?.to_owned(),
            key_variable: optional(&agent.key_variable).map(str::to_owned),
            settings,
            concurrency: agent.concurrency.max(1),
            tokens_per_minute: agent.tokens_per_minute,
            timeout_seconds: agent.timeout_seconds.max(1),
        })
    }
}

impl From<&AgentModel> for wire::AgentModel {
    fn from(agent: &AgentModel) -> Self {
        let dialect = match agent.dialect {
            Dialect::ChatCompletions => wire::AgentDialect::ChatCompletions,
            Dialect::Messages => wire::AgentDialect::Messages,
            Dialect::Responses => wire::AgentDialect::Responses,
            Dialect::Agent => wire::AgentDialect::OwnAgent,
            Dialect::Mcp => wire::AgentDialect::Mcp,
        };
        Self {
            dialect: dialect.into(),
            url: agent.url.clone(),
            key_variable: agent.key_variable.clone().unwrap_or_default(),
            // Settings are numbers, texts and lists, which JSON can always write.
            settings: serde_json::to_string(&agent.settings).unwrap_or_default(),
            concurrency: agent.concurrency,
            tokens_per_minute: agent.tokens_per_minute,
            timeout_seconds: agent.timeout_seconds,
        }
    }
}

impl TryFrom<wire::AgentReport> for AgentReport {
    type Error = ContractError;

    fn try_from(report: wire::AgentReport) -> Result<Self, Self::Error> {
        let usage = report.usage.unwrap_or_default();
        Ok(Self {
            // A reason of a later version is kept as text.
            reason: report.reason,
            summary: report.summary,
            spent: UsageTotal {
                calls: usage.calls,
                prompt_tokens: usage.prompt_tokens,
                cached: usage.cached_tokens,
                completion: usage.completion_tokens,
                reasoning: usage.reasoning_tokens,
                cost: optional(&usage.cost).map(|text| amount("agent.usage.cost", text)).transpose()?,
                unknown_calls: usage.unknown_calls,
                unpriced_calls: usage.unpriced_calls,
            },
            possibly_paid_twice: usage.possibly_paid_twice,
            tool_calls: report.tool_calls,
        })
    }
}

impl From<&AgentReport> for wire::AgentReport {
    fn from(report: &AgentReport) -> Self {
        let spent = &report.spent;
        Self {
            reason: report.reason.clone(),
            summary: report.summary.clone(),
            usage: Some(wire::Usage {
                calls: spent.calls,
                prompt_tokens: spent.prompt_tokens,
                cached_tokens: spent.cached,
                completion_tokens: spent.completion,
                reasoning_tokens: spent.reasoning,
                cost: spent.cost.map(decimal_text).unwrap_or_default(),
                unknown_calls: spent.unknown_calls,
                possibly_paid_twice: report.possibly_paid_twice,
                unpriced_calls: spent.unpriced_calls,
            }),
            tool_calls: report.tool_calls,
        }
    }
}
