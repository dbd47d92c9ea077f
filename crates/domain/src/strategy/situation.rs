//! What a policy knows when it decides a day.

use crate::accounting::costs::Costs;
use crate::accounting::portfolio::Portfolio;
use crate::market::as_of::AsOf;
use crate::market::instruments::{Symbol, Universe};
use crate::values::money::Price;

/// Everything that a policy may use to decide a day.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The market as it is known at the day's open.
    pub as_of: AsOf<'a>,
    /// The portfolio before the first order.
    pub portfolio: &'a Portfolio,
    /// What may be traded.
    pub universe: &'a Universe,
    /// The costs of trading.
    pub costs: &'a Costs,
    /// How many days the portfolio has completed before this one.
    pub day_index: u32,
    /// Text that separates the random orders of models with the same seed: the model's signature, for later trials with
    /// the trial's number.
    pub salt: &'a str,
}

impl<'a> Situation<'a> {
    /// The members that have a bar today, with their opens, in the universe's order.
    pub(super) fn priced_members(&self) -> Vec<(&'a Symbol, Price)> {
        let priced = |symbol| Some((symbol, self.as_of.open(symbol)?));
        self.universe.symbols.iter().filter_map(priced).collect()
    }

    /// The positions that have a bar today, with their shares and opens, in symbol order.
    pub(super) fn priced_positions(&self) -> Vec<(&'a Symbol, u64, Price)> {
        let priced = |(symbol, held): (&'a Symbol, &u64)| Some((symbol, *held, self.as_of.open(symbol)?));
        self.portfolio.holdings().iter().filter_map(priced).collect()
    }
}
