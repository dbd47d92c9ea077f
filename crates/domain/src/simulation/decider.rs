//! How a model decides, ready for use.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::accounting::order::Order;
use crate::job::{AgentModel, Model, ModelKind};
use crate::market::instruments::{Symbol, Universe};
use crate::simulation::price_window::PriceWindow;
use crate::strategy::policy::Policy;

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

/// Which prices the days of a model look at, besides those of what is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceScope {
    /// Of these symbols.
    pub symbols: BTreeSet<Symbol>,
    /// So many calendar days before the day at most.
    pub days_back: usize,
}

impl Decider {
    /// What its days look at in a job some model of which looks back on `lookback` sessions. It is rather too much
    /// than too little: a day that looked at prices that are replaced has to be known.
    pub fn price_scope(&self, universe: &Universe, lookback: usize) -> PriceScope {
        let members = || universe.symbols.iter().cloned();
        let (symbols, sessions) = match self {
            Self::Recorded(orders) => {
                let named = orders.values().flatten().filter_map(|order| order.symbol.parse().ok());
                (named.collect(), 0)
            }
            Self::Policy(Policy::Cash) => (BTreeSet::new(), 0),
            Self::Policy(Policy::BuyAndHold { symbol }) => ([symbol.clone()].into(), 0),
            Self::Policy(_) => (members().collect(), self.lookback()),
            // It may ask for any bar that is read for its day.
            Self::Agent(_) => {
                (members().chain(universe.benchmark.clone()).collect(), lookback + PriceWindow::SESSIONS)
            }
        };
        // Five sessions take seven days, and some more where there are holidays; a symbol that does not trade
        // for some days keeps its last price.
        PriceScope { symbols, days_back: sessions * 3 / 2 + 10 }
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
