//! The prices that benchmarks are made from.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::market::instruments::Symbol;
use crate::market::known_actions::KnownActions;
use crate::values::money::Price;

/// The close of each session that has one.
pub type Closes = BTreeMap<NaiveDate, Price>;

/// What becomes of the dividends of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dividends {
    /// They stay as cash, as in a portfolio.
    #[default]
    Cash,
    /// They buy more shares of the same symbol, at the close of the session on which they are paid.
    Reinvested,
    /// They do not count: the benchmark shows prices alone.
    Ignored,
}

/// What a benchmark is made from.
#[derive(Debug, Clone, Copy)]
pub struct BenchmarkMarket<'a> {
    /// The closes of each symbol, those included that are received by corporate actions.
    pub closes: &'a BTreeMap<Symbol, Closes>,
    /// The corporate actions; those up to the first session have no effect.
    pub actions: &'a KnownActions,
    /// The sessions, oldest first.
    pub sessions: &'a [NaiveDate],
    /// What becomes of dividends.
    pub dividends: Dividends,
}
