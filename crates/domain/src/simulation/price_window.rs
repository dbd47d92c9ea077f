//! The bars that a day can see: those of its price window, and of the sessions before it that its model looks back on.
//!
//! Bars are read by windows of sessions, and all days of a job in a window share them. So what a day sees depends on
//! the first session of its window, and a replay has to use the same windows.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::accounting::portfolio::Portfolio;
use crate::market::as_of::PriceHistory;
use crate::market::calendar::Calendar;
use crate::market::instruments::{Bar, Symbol, Universe};
use crate::market::price_table::PriceTable;

/// Consecutive sessions whose bars are read together. Every session is in exactly one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceWindow {
    /// Its first session.
    pub first: NaiveDate,
    /// Its last session.
    pub last: NaiveDate,
}

impl PriceWindow {
    /// Sessions in a window. A larger window reads the look-back sessions less often.
    pub const SESSIONS: usize = 256;

    /// The window of `date`.
    pub fn of(calendar: &Calendar, date: NaiveDate) -> Self {
        let earlier = calendar.sessions_before(date, usize::MAX);
        let first = earlier.len() / Self::SESSIONS * Self::SESSIONS;
        let first = earlier.get(first).copied().unwrap_or(date);
        let mut last = first;
        for _ in 1..Self::SESSIONS {
            last = calendar.next_session(last).unwrap_or(last);
        }
        Self { first, last: last.max(date) }
    }

    /// The first session whose bars are read when models look back on `lookback` sessions. Of earlier sessions only the
    /// last bar of each symbol is read.
    pub fn from(&self, calendar: &Calendar, lookback: usize) -> NaiveDate {
        calendar.sessions_before(self.first, lookback + 1).first().copied().unwrap_or(self.first)
    }
}

/// The part of a price table that a day can see.
pub struct WindowedPrices<'a> {
    table: &'a PriceTable,
    universe: &'a Universe,
    held: Option<&'a Portfolio>,
    received: BTreeSet<Symbol>,
    from: NaiveDate,
    to: NaiveDate,
}

impl<'a> WindowedPrices<'a> {
    /// The bars of `table` from `from` to `to` of the universe's symbols, of the held ones and of those that the
    /// portfolio receives by corporate actions on the way to the day, and the last earlier bar of each.
    pub fn new(
        table: &'a PriceTable,
        universe: &'a Universe,
        held: Option<&'a Portfolio>,
        received: BTreeSet<Symbol>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Self {
        Self { table, universe, held, received, from, to }
    }

    fn has(&self, symbol: &Symbol) -> bool {
        self.universe.tradable(symbol)
            || self.held.is_some_and(|held| held.quantity(symbol) > 0)
            || self.received.contains(symbol)
    }
}

impl PriceHistory for WindowedPrices<'_> {
    fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Option<Bar> {
        // The lookup comes first: it is cheaper than the test of the universe, and for most dates enough.
        let bar = self.table.bar(symbol, date).filter(|_| date <= self.to && self.has(symbol))?;
        (date >= self.from || self.table.previous_date(symbol, self.from) == Some(date)).then_some(bar)
    }

    fn previous_date(&self, symbol: &Symbol, date: NaiveDate) -> Option<NaiveDate> {
        let within = date.min(self.to.succ_opt().unwrap_or(self.to));
        let found = self.table.previous_date(symbol, within).filter(|_| self.has(symbol))?;
        (found >= self.from || self.table.previous_date(symbol, self.from) == Some(found)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_session_is_in_one_window_and_windows_do_not_overlap() {
        let calendar = Calendar::nyse();
        let mut previous: Option<PriceWindow> = None;

        for date in calendar.sessions(day("2019-01-01"), day("2021-01-01")) {
            let window = PriceWindow::of(&calendar, date);
            assert!(window.first <= date && date <= window.last, "{date} is not within {window:?}");
            if let Some(previous) = previous.filter(|previous| *previous != window) {
                assert!(previous.last < window.first, "{previous:?} overlaps {window:?}");
            }
            previous = Some(window);
        }
    }

    #[test]
    fn windowed_prices_are_those_of_the_range_and_the_last_bar_before_it() {
        let price = "10".parse().unwrap();
        let bar = Bar::new(price, price, price, price, 1).unwrap();
        let symbol = |text: &str| text.parse::<Symbol>().unwrap();
        let dates = ["2025-09-26", "2025-09-29", "2025-10-01", "2025-10-02", "2025-10-03"].map(day);
        let names = ["AAPL", "OLD"].map(symbol);
        let bars = names.iter().flat_map(|name| dates.map(|date| (name.clone(), date, bar)));
        let table: PriceTable = bars.collect();
        let universe = Universe { name: "one".to_owned(), symbols: vec![symbol("AAPL")], benchmark: None };
        let holds = Portfolio::new("1".parse().unwrap(), [(symbol("OLD"), 1)].into()).unwrap();
        let range = (day("2025-10-01"), day("2025-10-02"));

        let prices = WindowedPrices::new(&table, &universe, None, BTreeSet::new(), range);
        let shown = dates.map(|date| prices.bar(&names[0], date).is_some());
        assert_eq!(shown, [false, true, true, true, false]);
        let before = |date| prices.previous_date(&names[0], day(date));
        assert_eq!(before("2025-10-09"), Some(day("2025-10-02")));
        assert_eq!(before("2025-10-01"), Some(day("2025-09-29")));
        assert_eq!(before("2025-09-29"), None);
        assert_eq!(prices.bar(&names[1], day("2025-10-01")), None, "it is not held");

        let received = BTreeSet::from([symbol("OLD")]);
        let prices = WindowedPrices::new(&table, &universe, None, received, range);
        assert_eq!(prices.bar(&names[1], day("2025-10-01")), Some(bar));

        let prices = WindowedPrices::new(&table, &universe, Some(&holds), BTreeSet::new(), range);
        assert_eq!(prices.bar(&names[1], day("2025-10-01")), Some(bar));
    }
}
