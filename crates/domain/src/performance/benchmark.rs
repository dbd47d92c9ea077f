//! Benchmarks: one symbol bought and held, or all symbols of a universe in equal parts.
//!
//! Fractional shares are bought at the close of the first session and held to the close of the last. A benchmark is a
//! holder: it goes through the corporate actions after the first session as a portfolio does.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::market::instruments::Symbol;

mod holder;
mod market;
#[cfg(test)]
mod tests;

use holder::Holder;
pub use market::{BenchmarkMarket, Closes, Dividends};

/// The value of a benchmark at the close of each session; on the first it is the invested amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// Session and value, oldest first; at least one.
    pub points: Vec<(NaiveDate, Decimal)>,
}

impl Curve {
    /// `V_0..V_n` of the benchmark: the amount before the first session, then the value after each session.
    pub fn equity(&self) -> Vec<Decimal> {
        self.points.first().into_iter().chain(&self.points).map(|(_, worth)| *worth).collect()
    }

    /// The values at the same instants as those of a portfolio that completed days on `dates`, oldest first: at the
    /// close before the first of them, then at the close of each. When the first date is the curve's first, its value
    /// stands twice. A date without a value is left out.
    pub fn beside(&self, dates: &[NaiveDate]) -> Vec<Decimal> {
        let place = |date: &NaiveDate| self.points.binary_search_by_key(date, |(session, _)| *session).ok();
        let before = dates.first().and_then(place).map(|place| place.saturating_sub(1));
        let places = before.into_iter().chain(dates.iter().filter_map(place));
        places.filter_map(|place| self.points.get(place)).map(|(_, worth)| *worth).collect()
    }
}

impl BenchmarkMarket<'_> {
    /// `amount` invested in one symbol. On a session without a close the last known one counts. `None` when there is no
    /// session, or no close on the first.
    pub fn buy_and_hold(&self, amount: Decimal, symbol: &Symbol) -> Option<Curve> {
        self.average(amount, &[self.growth(symbol)?])
    }

    /// `amount` invested in equal parts in those of `symbols` that have a close on the first session, without
    /// rebalancing. On a session without a close the last known one counts. `None` when there is no session, or no symbol
    /// has a close on the first.
    pub fn equal_weight<'s>(
        &self,
        amount: Decimal,
        symbols: impl IntoIterator<Item = &'s Symbol>,
    ) -> Option<Curve> {
        let growths: Vec<_> = symbols.into_iter().filter_map(|symbol| self.growth(symbol)).collect();
        self.average(amount, &growths)
    }

    /// The value of one dollar at each session.
    fn growth(&self, symbol: &Symbol) -> Option<Vec<Decimal>> {
        let (first_session, last_session) = (*self.sessions.first()?, *self.sessions.last()?);
        let closes = self.closes.get(symbol)?;
        let first = closes.get(&first_session)?.amount();
        let due = self.actions.between(first_session, last_session);
        if due.iter().any(|(_, action)| action.symbol == *symbol) {
            let mut holder = Holder::of(symbol, first);
            let mut worth =
                |session: &NaiveDate| holder.worth(self, *session).checked_div(first).unwrap_or(Decimal::MAX);
            return Some(self.sessions.iter().map(&mut worth).collect());
        }
        let mut last = first;
        let mut at = |session: &NaiveDate| {
            last = closes.get(session).map_or(last, |close| close.amount());
            last.checked_div(first).unwrap_or(Decimal::MAX)
        };
        Some(self.sessions.iter().map(&mut at).collect())
    }

    fn average(&self, amount: Decimal, growths: &[Vec<Decimal>]) -> Option<Curve> {
        if growths.is_empty() {
            return None;
        }
        let parts = Decimal::from(growths.len());
        // Prices of any size come from users, and a response with too large a number is better than none.
        let worth = |place: usize| {
            let sum = growths.iter().fold(Decimal::ZERO, |sum, growth| sum.saturating_add(growth[place]));
            amount.saturating_mul(sum) / parts
        };
        let points = self.sessions.iter().enumerate().map(|(place, session)| (*session, worth(place)));
        Some(Curve { points: points.collect() })
    }
}
