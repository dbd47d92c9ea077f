//! Markets to test with.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::market_day::DayPrices;
use crate::market::instruments::{Symbol, Universe};
use crate::values::money::Price;

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub(super) fn universe(names: &[&str]) -> Universe {
    let symbols = names.iter().map(|name| symbol(name)).collect();
    Universe { name: "test".to_owned(), symbols, benchmark: None }
}

/// The open and close of one day, and the closes before it.
#[derive(Default)]
pub(super) struct Quotes {
    pub(super) today: BTreeMap<Symbol, (Price, Price)>,
    pub(super) earlier: BTreeMap<Symbol, Price>,
}

impl Quotes {
    /// A day on which nothing moves from its open.
    pub(super) fn at_open(opens: &[(&str, &str)]) -> Self {
        let quote = |(name, open): &(&str, &str)| {
            let open: Price = open.parse().unwrap();
            (symbol(name), (open, open))
        };
        Self { today: opens.iter().map(quote).collect(), earlier: BTreeMap::new() }
    }

    /// The next day's market: `today` as given, these closes known from before.
    pub(super) fn then(mut self, today: BTreeMap<Symbol, (Price, Price)>) -> Self {
        self.earlier.extend(self.today.into_iter().map(|(symbol, (_, close))| (symbol, close)));
        Self { today, earlier: self.earlier }
    }
}

impl DayPrices for Quotes {
    fn open(&self, symbol: &Symbol) -> Option<Price> {
        self.today.get(symbol).map(|(open, _)| *open)
    }

    fn close(&self, symbol: &Symbol) -> Option<Price> {
        self.today.get(symbol).map(|(_, close)| *close)
    }

    fn last_known(&self, symbol: &Symbol) -> Option<Price> {
        self.earlier.get(symbol).copied()
    }
}
