//! The stored form of a conversation: one JSON object with its summary, its usage and its messages.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::report::AgentReport;
use super::transcript::Transcript;
use super::usage::UsageTotal;

/// A conversation that has ended, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// A few sentences for people.
    pub summary: String,
    /// What its calls used.
    pub usage: StoredUsage,
    /// The messages in order; empty when they were not read.
    #[serde(default)]
    pub turns: Transcript,
}

/// What calls used, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredUsage {
    calls: u64,
    prompt_tokens: u64,
    cached_tokens: u64,
    completion_tokens: u64,
    reasoning_tokens: u64,
    /// Dollars without trailing zeros; `None` when no call's cost is known.
    cost: Option<Decimal>,
    unknown_calls: u64,
    unpriced_calls: u64,
    possibly_paid_twice: u64,
    /// `None` in what was stored before they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool_calls: Option<u64>,
}

impl StoredUsage {
    /// The stored form of `spent`, with the calls of tools.
    pub fn new(spent: &UsageTotal, possibly_paid_twice: u64, tool_calls: Option<u64>) -> Self {
        Self {
            calls: spent.calls,
            prompt_tokens: spent.prompt_tokens,
            cached_tokens: spent.cached,
            completion_tokens: spent.completion,
            reasoning_tokens: spent.reasoning,
            cost: spent.cost.map(|cost| cost.normalize()),
            unknown_calls: spent.unknown_calls,
            unpriced_calls: spent.unpriced_calls,
            possibly_paid_twice,
            tool_calls,
        }
    }
}

impl Conversation {
    /// The conversation of a day that ended with `report`.
    pub fn new(report: &AgentReport, turns: Transcript) -> Self {
        let usage = StoredUsage::new(&report.spent, report.possibly_paid_twice, report.tool_calls);
        Self { summary: report.summary.clone(), usage, turns }
    }

    /// The report of a day that ended for `reason`, which is stored beside the conversation.
    pub fn report(self, reason: String) -> AgentReport {
        let usage = self.usage;
        let spent = UsageTotal {
            calls: usage.calls,
            prompt_tokens: usage.prompt_tokens,
            cached: usage.cached_tokens,
            completion: usage.completion_tokens,
            reasoning: usage.reasoning_tokens,
            cost: usage.cost,
            unknown_calls: usage.unknown_calls,
            unpriced_calls: usage.unpriced_calls,
        };
        let StoredUsage { possibly_paid_twice, tool_calls, .. } = usage;
        AgentReport { reason, summary: self.summary, spent, possibly_paid_twice, tool_calls }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::transcript::{Message, Role};
    use super::*;

    fn report(cost: Option<&str>) -> AgentReport {
        AgentReport {
            reason: "finished".to_owned(),
            summary: "On 2025-10-02 m made no trades.".to_owned(),
            spent: UsageTotal {
                calls: 9,
                prompt_tokens: 8,
                cached: 7,
                completion: 6,
                reasoning: 5,
                cost: cost.map(|cost| cost.parse().unwrap()),
                unknown_calls: 4,
                unpriced_calls: 3,
            },
            possibly_paid_twice: 2,
            tool_calls: Some(1),
        }
    }

    fn stored(cost: &Value) -> Value {
        json!({
            "summary": "On 2025-10-02 m made no trades.",
            "usage": {
                "calls": 9, "prompt_tokens": 8, "cached_tokens": 7, "completion_tokens": 6, "reasoning_tokens": 5,
                "cost": cost, "unknown_calls": 4, "unpriced_calls": 3, "possibly_paid_twice": 2, "tool_calls": 1,
            },
            "turns": [{"role": "user", "step": 0, "content": "hello"}],
        })
    }

    #[test]
    fn a_conversation_is_stored_under_its_documented_names() {
        let messages = vec![Message::plain(Role::User, 0, "hello".to_owned())];
        let written = |cost| {
            let turns = Transcript { messages: messages.clone() };
            serde_json::to_value(Conversation::new(&report(cost), turns)).unwrap()
        };

        assert_eq!(written(Some("0.0250")), stored(&json!("0.025")), "without trailing zeros");
        assert_eq!(written(None), stored(&json!(null)));
    }

    #[test]
    fn a_report_reads_back_from_its_conversation() {
        let read = |cost| {
            let conversation: Conversation = serde_json::from_value(stored(&cost)).unwrap();
            conversation.report("finished".to_owned())
        };

        assert_eq!(read(json!("0.025")), report(Some("0.025")));
        assert_eq!(read(json!(null)), report(None));
    }

    #[test]
    fn a_report_of_before_has_no_count_of_tools() {
        let mut before = stored(&json!(null));
        before["usage"].as_object_mut().unwrap().remove("tool_calls");

        let report = serde_json::from_value::<Conversation>(before).unwrap().report("finished".to_owned());

        assert_eq!(report.tool_calls, None);
    }

    #[test]
    fn a_report_needs_no_messages_but_all_of_the_usage() {
        let mut without_turns = stored(&json!(null));
        without_turns.as_object_mut().unwrap().remove("turns");
        let mut without_calls = without_turns.clone();
        without_calls["usage"].as_object_mut().unwrap().remove("calls");

        let read = |value| serde_json::from_value::<Conversation>(value);

        assert_eq!(read(without_turns).unwrap().report("finished".to_owned()), report(None));
        assert_eq!(read(without_calls).unwrap_err().to_string(), "missing field `calls`");
    }
}
