//! What is reported of an agent's day beside its accounts.

use serde::{Deserialize, Serialize};

use super::usage::UsageTotal;

/// How an agent's day went. Its JSON is that of bundles and of the results of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReport {
    /// Why it ended: the name of an [`EndReason`](super::EndReason), or of a newer one.
    #[serde(rename = "end_reason")]
    pub reason: String,
    /// A few sentences for people.
    pub summary: String,
    /// What its calls used.
    #[serde(rename = "usage")]
    pub spent: UsageTotal,
    /// Calls that were sent again although the first copy may have been billed.
    pub possibly_paid_twice: u64,
    /// Calls of tools that the tools could use; `None` in reports of versions that did not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<u64>,
}
