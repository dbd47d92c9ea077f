//! Built-in baselines that trade without a language model.
//!
//! A policy is a pure function: the same situation gives the same orders in every process.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::accounting::order::Order;
use crate::market::instruments::Symbol;
use crate::strategy::situation::Situation;

mod buy_and_hold;
mod momentum;
mod random_orders;
#[cfg(test)]
mod tests;

/// A rule that decides the orders of every day of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum Policy {
    /// Puts all cash into one symbol on the first day on which a share can be bought, and holds it.
    BuyAndHold {
        /// The symbol to hold.
        symbol: Symbol,
    },
    /// Buys every member that has a bar for the same amount, on the first day on which a share of any can be bought,
    /// and holds them. The rest of each amount stays cash.
    EqualWeight,
    /// Holds the members whose closes rose most over the sessions before today, in equal amounts. On a day on which no
    /// member can be ranked it does not trade.
    Momentum {
        /// Sessions over which the rise is measured, ending with the previous session.
        lookback: NonZeroU16,
        /// How many members to hold.
        top: NonZeroU16,
        /// Trades on the portfolio's first day, then once every so many of its days.
        rebalance_every: NonZeroU16,
    },
    /// Draws its orders at random. They depend on the seed, the day and the model's name, not on earlier draws.
    Random {
        /// Seed of the random numbers.
        seed: u64,
        /// Highest number of orders a day; orders that would be refused are not placed.
        orders_per_day: u16,
    },
    /// Never trades.
    Cash,
}

impl Policy {
    /// The orders of the day, in the order in which to submit them: sales first. None of them will be refused, provided
    /// that the symbols are tradable.
    pub fn decide(&self, situation: &Situation<'_>) -> Vec<Order> {
        match self {
            Self::BuyAndHold { symbol } => buy_and_hold::one(situation, symbol),
            Self::EqualWeight => buy_and_hold::all(situation),
            Self::Momentum { lookback, top, rebalance_every } => {
                if situation.day_index.is_multiple_of(rebalance_every.get().into()) {
                    momentum::decide(situation, lookback.get().into(), top.get().into())
                } else {
                    Vec::new()
                }
            }
            Self::Random { seed, orders_per_day } => random_orders::decide(situation, *seed, *orders_per_day),
            Self::Cash => Vec::new(),
        }
    }
}
