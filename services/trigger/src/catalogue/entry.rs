//! A configured model.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::costs::Costs;
use domain::job::AgentModel;
use domain::strategy::policy::Policy;
use domain::strategy::recorded_orders::RecordedOrder;
use rust_decimal::Decimal;

/// One configured model.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its unique name.
    pub signature: String,
    /// Whether it runs when a request names no models.
    pub enabled: bool,
    /// Cash of a portfolio before its first day.
    pub initial_cash: Decimal,
    /// Number of separate portfolios.
    pub trials: u32,
    /// Fees and slippage.
    pub costs: Costs,
    /// Last date that its training data may contain; not part of the hash.
    pub training_cutoff: Option<NaiveDate>,
    /// Hash of everything that affects the outcome.
    pub config_hash: String,
    /// How it decides.
    pub kind: EntryKind,
}

/// How a configured model decides.
#[derive(Debug, Clone)]
pub enum EntryKind {
    /// Places these orders, by date.
    Recorded(BTreeMap<NaiveDate, Vec<RecordedOrder>>),
    /// A built-in baseline.
    Policy(Policy),
    /// Calls an endpoint.
    Agent(Box<AgentModel>),
}

impl EntryKind {
    /// The kind's name in the configuration and the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "recorded",
            Self::Policy(_) => "policy",
            Self::Agent(agent) => agent.kind(),
        }
    }
}
