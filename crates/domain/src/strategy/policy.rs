//! Built-in baselines that trade without a language model.
//!
//! A policy is a pure function of what is known at the open: the same situation gives the same
//! orders in every process.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::accounting::costs::Costs;
use crate::accounting::order::{Order, Side};
use crate::accounting::portfolio::Portfolio;
use crate::market::as_of::AsOf;
use crate::market::instruments::{Symbol, Universe};
use crate::values::money::Price;

mod hold;
mod momentum;
mod random;
#[cfg(test)]
mod tests;

/// A rule that decides every day of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum Policy {
    /// Puts all cash into one symbol on the first day that can buy a share, and keeps it.
    BuyAndHold {
        /// The symbol to hold.
        symbol: Symbol,
    },
    /// Buys the same amount of every member that has a bar, on the first day that can buy a share
    /// of any, and keeps them. What is left of an amount stays cash.
    EqualWeight,
    /// Holds the same amount of each of the members that rose most, by close, over the sessions
    /// before today. Days on which none can be ranked keep what is held.
    Momentum {
        /// Sessions over which the rise is measured, ending with the previous session.
        lookback: NonZeroU16,
        /// How many members to hold.
        top: NonZeroU16,
        /// Trades on the portfolio's first day and every so many of its days after it.
        rebalance_every: NonZeroU16,
    },
    /// Draws its orders; they depend on the seed, the day and the model's name, not on past draws.
    Random {
        /// Another seed gives other orders.
        seed: u64,
        /// Most orders a day; those that could not be carried out are not placed.
        orders_per_day: u16,
    },
    /// Never trades.
    Cash,
}

/// All that a policy may look at when it decides a day.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The market as known at the day's open.
    pub as_of: AsOf<'a>,
    /// The portfolio before the first order.
    pub portfolio: &'a Portfolio,
    /// What may be traded.
    pub universe: &'a Universe,
    /// What trading will cost.
    pub costs: &'a Costs,
    /// Days the portfolio has completed before this one; 0 on its first.
    pub day_index: u32,
    /// The model's signature, so that models with the same seed draw differently.
    pub salt: &'a str,
}

impl Policy {
    /// The orders of the day in the order to submit them: sales first. All of them can be carried
    /// out, provided that the symbols are tradable.
    pub fn decide(&self, situation: &Situation<'_>) -> Vec<Order> {
        match self {
            Self::BuyAndHold { symbol } => hold::one(situation, symbol),
            Self::EqualWeight => hold::all(situation),
            Self::Momentum { lookback, top, rebalance_every } => {
                if situation.day_index.is_multiple_of(rebalance_every.get().into()) {
                    momentum::decide(situation, lookback.get().into(), top.get().into())
                } else {
                    Vec::new()
                }
            }
            Self::Random { seed, orders_per_day } => random::decide(situation, *seed, *orders_per_day),
            Self::Cash => Vec::new(),
        }
    }
}

impl<'a> Situation<'a> {
    /// The members that have a bar today with their opens, in the universe's order.
    fn priced_members(&self) -> Vec<(&'a Symbol, Price)> {
        let priced = |symbol| Some((symbol, self.as_of.open(symbol)?));
        self.universe.symbols.iter().filter_map(priced).collect()
    }

    /// The positions that have a bar today with their shares and opens, in symbol order.
    fn priced_positions(&self) -> Vec<(&'a Symbol, u64, Price)> {
        let priced = |(symbol, held): (&'a Symbol, &u64)| Some((symbol, *held, self.as_of.open(symbol)?));
        self.portfolio.holdings().iter().filter_map(priced).collect()
    }
}

fn order(side: Side, symbol: &Symbol, quantity: u64) -> Order {
    Order::new(side, symbol.as_str(), quantity)
}
