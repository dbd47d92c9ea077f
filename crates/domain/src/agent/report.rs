//! What is reported of an agent's day beside its accounts.

use super::usage::UsageTotal;

/// How an agent's day went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentReport {
    /// Why it ended: the name of an [`EndReason`](super::EndReason), or of a newer one.
    pub reason: String,
    /// A few sentences for people.
    pub summary: String,
    /// What its calls used.
    pub spent: UsageTotal,
    /// Calls that were sent again although the first copy may have been billed.
    pub possibly_paid_twice: u64,
}
