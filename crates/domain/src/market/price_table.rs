//! Bars held in memory.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::market::as_of::PriceHistory;
use crate::market::instruments::{Bar, Symbol};

/// Bars by symbol and date. A second bar of the same symbol and date replaces the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceTable(HashMap<Symbol, Series>);

/// The bars of one symbol, oldest first. The dates have a vector of their own, so that a binary search reads less
/// memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Series {
    dates: Vec<NaiveDate>,
    bars: Vec<Bar>,
}

impl Series {
    fn insert(&mut self, date: NaiveDate, bar: Bar) {
        // Bars mostly arrive in the order of their dates, so the end is tried first.
        let place = if self.dates.last().is_none_or(|last| *last < date) {
            self.dates.len()
        } else {
            self.dates.partition_point(|known| *known < date)
        };
        match self.dates.get(place) {
            Some(known) if *known == date => self.bars[place] = bar,
            _ => {
                self.dates.insert(place, date);
                self.bars.insert(place, bar);
            }
        }
    }
}

impl PriceTable {
    /// Adds the symbols of another table; of those that both have, the other's bars stay.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
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
        let Series { dates, bars } = self.0.get(symbol)?;
        bars.get(dates.binary_search(&date).ok()?).copied()
    }

    fn previous_date(&self, symbol: &Symbol, date: NaiveDate) -> Option<NaiveDate> {
        let dates = &self.0.get(symbol)?.dates;
        dates.get(..dates.partition_point(|known| *known < date))?.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::Days;
    use proptest::prelude::*;

    use super::*;

    fn day(index: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Days::new(index)
    }

    proptest! {
        #[test]
        fn bars_in_any_order_are_found_as_in_a_map(given in prop::collection::vec((0..12_u64, 1..999_u64), 0..40)) {
            let symbol: Symbol = "AAPL".parse().unwrap();
            let price = "10".parse().unwrap();
            let bar = |volume| Bar::new(price, price, price, price, volume).unwrap();
            let given: Vec<_> = given.into_iter().map(|(date, volume)| (day(date), bar(volume))).collect();

            let table: PriceTable = given.iter().map(|(date, bar)| (symbol.clone(), *date, *bar)).collect();

            let map: BTreeMap<_, _> = given.into_iter().collect();
            for date in (0..13).map(day) {
                prop_assert_eq!(table.bar(&symbol, date), map.get(&date).copied());
                let previous = map.range(..date).next_back().map(|(date, _)| *date);
                prop_assert_eq!(table.previous_date(&symbol, date), previous);
            }
        }
    }
}
