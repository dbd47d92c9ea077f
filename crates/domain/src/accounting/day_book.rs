//! The accounting of one model-day: open the book, submit orders, close it.
//!
//! The deciding side sees the portfolio only. The day's closing prices are read when the book is
//! closed, and nothing here gives them away before.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::accounting::corporate_action::{AppliedAction, CorporateActions};
use crate::accounting::costs::{Costs, half_even};
use crate::accounting::order::{Fill, Order, Refusal, RefusedOrder};
use crate::accounting::portfolio::{Portfolio, PortfolioError};
use crate::market::instruments::{Symbol, Universe};
use crate::values::exact;
use crate::values::money::Price;

mod result;
mod settlement;
#[cfg(test)]
mod tests;

pub use result::DayResult;

/// The market of one day, as the book needs it.
pub trait DayPrices: Send + Sync {
    /// The day's opening price; `None` without a bar that day.
    fn open(&self, symbol: &Symbol) -> Option<Price>;

    /// The day's closing price; `None` without a bar that day.
    fn close(&self, symbol: &Symbol) -> Option<Price>;

    /// The latest close before the day, in terms of the day's shares: restated for every split
    /// since, the day's own included. `None` when there never was one.
    fn last_known(&self, symbol: &Symbol) -> Option<Price>;
}

/// Why a day has no accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// The portfolio to begin with is none.
    #[error(transparent)]
    Portfolio(#[from] PortfolioError),
    /// The day continues from one that is not before it.
    #[error("{date} is not after {previous}")]
    NotAfter {
        /// The day to open.
        date: NaiveDate,
        /// The day to continue from.
        previous: NaiveDate,
    },
    /// A held symbol has neither a bar that day nor one before it.
    #[error("{0} is held and has no price")]
    Unpriced(Symbol),
    /// An amount needs more than 28 digits.
    #[error("an amount is too large to be exact")]
    TooLarge,
}

/// What a day continues from: the end of the portfolio's last completed day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousDay {
    /// That day.
    pub date: NaiveDate,
    /// The portfolio at its end.
    pub portfolio: Portfolio,
    /// What that portfolio was worth at that day's open, in dollars.
    pub ending_value_at_open: Decimal,
}

/// One model's open day: orders change the portfolio, in sequence, at the day's open.
pub struct DayBook<'a> {
    universe: &'a Universe,
    prices: &'a dyn DayPrices,
    costs: Costs,
    portfolio: Portfolio,
    next_sequence: u32,
    start: Start,
    fills: Vec<Fill>,
    refusals: Vec<RefusedOrder>,
}

/// How the day began; fixed before the first order.
struct Start {
    date: NaiveDate,
    days_since_last_trading: u32,
    portfolio: Portfolio,
    value: Decimal,
    profit: Decimal,
    return_pct: Decimal,
    applied: Vec<AppliedAction>,
    stale: Vec<Symbol>,
}

impl<'a> DayBook<'a> {
    /// Opens the book of `date`: applies the corporate actions since then, date by date, to the previous portfolio, or
    /// begins with `initial_cash` when there is none, and values it at the open.
    ///
    /// # Errors
    /// When the previous day is not before `date`, the initial cash is below zero, a holding has no
    /// price at all, or an amount is too large to be exact.
    pub fn open(
        date: NaiveDate,
        previous: Option<&PreviousDay>,
        initial_cash: Decimal,
        universe: &'a Universe,
        prices: &'a dyn DayPrices,
        actions: &[CorporateActions],
        costs: Costs,
    ) -> Result<Self, DayError> {
        let start = match previous {
            Some(previous) => Start::after(previous, date, prices, actions)?,
            None => Start::first(date, initial_cash)?,
        };
        let portfolio = start.portfolio.clone();
        let (fills, refusals) = (Vec::new(), Vec::new());
        Ok(Self { universe, prices, costs, portfolio, next_sequence: 0, start, fills, refusals })
    }

    /// The day.
    pub fn date(&self) -> NaiveDate {
        self.start.date
    }

    /// The portfolio after the orders so far.
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// What the portfolio was worth at the open, before any order, in dollars.
    pub fn starting_value(&self) -> Decimal {
        self.start.value
    }

    /// Carries `order` out at the open, in full, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The first rule that the order breaks.
    pub fn submit(&mut self, order: &Order) -> Result<Fill, Refusal> {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.saturating_add(1);
        match self.settle(sequence, order) {
            Ok(fill) => {
                self.fills.push(fill.clone());
                Ok(fill)
            }
            Err(refusal) => {
                self.refusals.push(RefusedOrder::new(sequence, order, &refusal));
                Err(refusal)
            }
        }
    }

    /// Values the portfolio at the day's open and close and gives the day's accounts.
    ///
    /// # Errors
    /// When an amount is too large to be exact.
    pub fn close(self) -> Result<DayResult, DayError> {
        let at_close = |symbol: &Symbol| self.prices.close(symbol).or_else(|| mark(self.prices, symbol));
        let value_at_open = value(&self.portfolio, |symbol| mark(self.prices, symbol))?;
        let value_at_close = value(&self.portfolio, at_close)?;
        Ok(DayResult {
            date: self.start.date,
            days_since_last_trading: self.start.days_since_last_trading,
            actions: self.start.applied,
            starting: self.start.portfolio,
            starting_value: self.start.value,
            profit: self.start.profit,
            return_pct: self.start.return_pct,
            fills: self.fills,
            refusals: self.refusals,
            ending: self.portfolio,
            value_at_open,
            value_at_close,
            stale: self.start.stale,
        })
    }
}

impl Start {
    fn first(date: NaiveDate, initial_cash: Decimal) -> Result<Self, DayError> {
        let portfolio = Portfolio::new(initial_cash, Default::default())?;
        let (value, profit, return_pct) = (portfolio.cash(), Decimal::ZERO, Decimal::ZERO);
        let (applied, stale) = (Vec::new(), Vec::new());
        Ok(Self { date, days_since_last_trading: 0, portfolio, value, profit, return_pct, applied, stale })
    }

    fn after(
        previous: &PreviousDay,
        date: NaiveDate,
        prices: &dyn DayPrices,
        actions: &[CorporateActions],
    ) -> Result<Self, DayError> {
        let days = (date - previous.date).num_days();
        let days_since_last_trading = u32::try_from(days)
            .ok()
            .filter(|days| *days > 0)
            .ok_or(DayError::NotAfter { date, previous: previous.date })?;
        let mut portfolio = previous.portfolio.clone();
        let mut applied = Vec::new();
        for of_date in actions {
            applied.extend(of_date.apply(&mut portfolio, |symbol| mark(prices, symbol))?);
        }
        let value = value(&portfolio, |symbol| mark(prices, symbol))?;
        let profit = exact::difference(value, previous.ending_value_at_open).ok_or(DayError::TooLarge)?;
        let return_pct = percent(profit, previous.ending_value_at_open).ok_or(DayError::TooLarge)?;
        let stale = portfolio.holdings().keys().filter(|symbol| prices.open(symbol).is_none());
        let stale = stale.cloned().collect();
        Ok(Self { date, days_since_last_trading, portfolio, value, profit, return_pct, applied, stale })
    }
}

/// What a share is taken to be worth at the open: the open or, without a bar, the last known price.
fn mark(prices: &dyn DayPrices, symbol: &Symbol) -> Option<Price> {
    prices.open(symbol).or_else(|| prices.last_known(symbol))
}

fn value(portfolio: &Portfolio, price: impl Fn(&Symbol) -> Option<Price>) -> Result<Decimal, DayError> {
    portfolio.value(&price).ok_or_else(|| {
        let unpriced = portfolio.holdings().keys().find(|symbol| price(symbol).is_none());
        unpriced.map_or(DayError::TooLarge, |symbol| DayError::Unpriced(symbol.clone()))
    })
}

/// `part` in percent of `whole`, half-even to 12 places; 0 of nothing.
fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    if whole.is_zero() {
        return Some(Decimal::ZERO);
    }
    let hundredfold = part.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(half_even(hundredfold.checked_div(whole)?, 12))
}
