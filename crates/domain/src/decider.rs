//! How a model decides, ready for use.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::job::{AgentModel, Model, ModelKind};
use crate::order::Order;
use crate::policy::Policy;

/// Sessions that an agent may look back on: what `get_price_history` gives, with some to spare.
pub const AGENT_LOOKBACK: usize = 260;

/// How one model decides each of its days.
#[derive(Debug, Clone, PartialEq)]
pub enum Decider {
    /// The recorded orders by date, in sequence.
    Recorded(BTreeMap<NaiveDate, Vec<Order>>),
    /// A built-in baseline.
    Policy(Policy),
    /// Asks an endpoint.
    Agent(Box<AgentModel>),
}

impl Decider {
    /// Sessions before a day that it looks back on.
    pub fn lookback(&self) -> usize {
        match self {
            Self::Policy(Policy::Momentum { lookback, .. }) => usize::from(lookback.get()),
            Self::Agent(_) => AGENT_LOOKBACK,
            Self::Policy(_) | Self::Recorded(_) => 0,
        }
    }
}

impl From<&Model> for Decider {
    fn from(model: &Model) -> Self {
        match &model.kind {
            ModelKind::Policy(policy) => Self::Policy(policy.clone()),
            ModelKind::Agent(agent) => Self::Agent(agent.clone()),
            ModelKind::Recorded(orders) => {
                let mut sorted: Vec<_> = orders.iter().collect();
                sorted.sort_by_key(|order| (order.date, order.sequence));
                let mut by_date: BTreeMap<NaiveDate, Vec<Order>> = BTreeMap::new();
                for order in sorted {
                    by_date.entry(order.date).or_default().push(order.order());
                }
                Self::Recorded(by_date)
            }
        }
    }
}
