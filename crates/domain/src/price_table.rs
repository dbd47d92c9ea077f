//! Bars held in memory.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use crate::as_of::PriceHistory;
use crate::market::{Bar, Symbol};

/// Bars by symbol and date; of two for the same the later one stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceTable(HashMap<Symbol, BTreeMap<NaiveDate, Bar>>);

impl PriceTable {
    /// Whether there is any bar of `symbol`.
    pub fn knows(&self, symbol: &Symbol) -> bool {
        self.0.contains_key(symbol)
    }

    /// Adds a bar, or replaces the one of that symbol and date.
    pub fn insert(&mut self, symbol: Symbol, date: NaiveDate, bar: Bar) {
        self.0.entry(symbol).or_default().insert(date, bar);
    }
}

impl FromIterator<(Symbol, NaiveDate, Bar)> for PriceTable {
    fn from_iter<T: IntoIterator<Item = (Symbol, NaiveDate, Bar)>>(bars: T) -> Self {
        let mut table = Self::default();
        table.extend(bars);
        table
    }
}

impl Extend<(Symbol, NaiveDate, Bar)> for PriceTable {
    fn extend<T: IntoIterator<Item = (Symbol, NaiveDate, Bar)>>(&mut self, bars: T) {
        bars.into_iter().for_each(|(symbol, date, bar)| self.insert(symbol, date, bar));
    }
}

impl PriceHistory for PriceTable {
    fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Option<Bar> {
        self.0.get(symbol)?.get(&date).copied()
    }

    fn previous_date(&self, symbol: &Symbol, date: NaiveDate) -> Option<NaiveDate> {
        self.0.get(symbol)?.range(..date).next_back().map(|(date, _)| *date)
    }
}
