//! How a model decides its days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::accounting::order::Order;
use crate::job::{AgentModel, Model, ModelKind};
use crate::market::instruments::{Symbol, Universe};
use crate::simulation::price_window::PriceWindow;
use crate::strategy::policy::Policy;

/// Sessions that an agent can look back on: more than `get_price_history` returns at most.
pub const AGENT_LOOKBACK: usize = 260;

/// The decision maker of one model.
#[derive(Debug, Clone, PartialEq)]
pub enum Decider {
    /// Recorded orders by date, those of a date in sequence.
    Recorded(BTreeMap<NaiveDate, Vec<Order>>),
    /// A built-in baseline.
    Policy(Policy),
    /// An agent behind an endpoint.
    Agent(Box<AgentModel>),
}

/// The prices that a day of a model may read, besides those of its holdings. When one of them is replaced, the day
/// becomes stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceScope {
    /// The symbols.
    pub symbols: BTreeSet<Symbol>,
    /// How many calendar days before the day they reach.
    pub days_back: usize,
    /// Which corporate actions of the symbols in that time show in what the day sees.
    pub actions: ActionsSeen,
}

/// The corporate actions that show in what a day of a model sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionsSeen {
    /// None: it looks at no earlier price.
    None,
    /// Splits, in the earlier prices.
    Splits,
    /// All of them are told.
    All,
}

impl ActionsSeen {
    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Splits => "splits",
            Self::All => "all",
        }
    }
}

impl Decider {
    /// How many sessions before a day it looks back on.
    pub fn lookback(&self) -> usize {
        match self {
            Self::Policy(Policy::Momentum { lookback, .. }) => usize::from(lookback.get()),
            Self::Agent(_) => AGENT_LOOKBACK,
            Self::Policy(_) | Self::Recorded(_) => 0,
        }
    }

    /// Whether a portfolio without holdings needs prices.
    pub fn reads_prices(&self) -> bool {
        !matches!(self, Self::Policy(Policy::Cash))
    }

    /// The scope of its days in a job whose models look back on at most `lookback` sessions. It may be too large but
    /// never too small: then a stale day could go unnoticed.
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
            // An agent can read every bar that is loaded for its day.
            Self::Agent(_) => {
                (members().chain(universe.benchmark.clone()).collect(), lookback + PriceWindow::SESSIONS)
            }
        };
        // Five sessions take seven calendar days, and holidays add some. The ten extra days cover holidays and a symbol
        // that has not traded for some days and keeps its last price.
        let actions = match self {
            Self::Agent(_) => ActionsSeen::All,
            Self::Policy(Policy::Momentum { .. }) => ActionsSeen::Splits,
            Self::Policy(_) | Self::Recorded(_) => ActionsSeen::None,
        };
        PriceScope { symbols, days_back: sessions * 3 / 2 + 10, actions }
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
