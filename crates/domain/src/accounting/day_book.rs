//! The accounts of one model-day while it is open: open the book, submit orders, close it.
//!
//! A model sees the portfolio only. The book reads the day's closing prices when it is closed, and returns none of them
//! before.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::applied_action::{AppliedAction, apply, pay_displaced};
use crate::accounting::costs::Costs;
use crate::accounting::day_error::DayError;
use crate::accounting::day_result::{DayResult, PreviousDay};
use crate::accounting::fill::{Account, Fill};
use crate::accounting::market_day::DayPrices;
use crate::accounting::order::Order;
use crate::accounting::portfolio::Portfolio;
use crate::accounting::refusal::{Refusal, RefusedOrder};
use crate::market::corporate_action::CorporateAction;
use crate::market::instruments::{Symbol, Universe};
use crate::values::arithmetic::{exact_difference, half_even};
use crate::values::money::Price;

/// The open book of one model-day. Orders change its portfolio one after another, all at the day's open.
pub struct DayBook<'a> {
    account: Account<'a>,
    next_sequence: u32,
    start: Start,
    fills: Vec<Fill>,
    refusals: Vec<RefusedOrder>,
}

/// The state before the first order.
struct Start {
    date: NaiveDate,
    days_since_last_trading: u32,
    portfolio: Portfolio,
    value: Decimal,
    profit: Decimal,
    return_pct: Decimal,
    applied: Vec<AppliedAction>,
    stale: Vec<Symbol>,
    price_dates: BTreeMap<Symbol, NaiveDate>,
}

impl<'a> DayBook<'a> {
    /// Opens the book of `date`. The portfolio is the previous day's after `actions`, the corporate actions since then in
    /// their order; without a previous day it is `initial_cash`.
    ///
    /// # Errors
    /// When the previous day is not before `date`, the initial cash is below zero, a holding has no price at all, or an
    /// amount is too large to be exact.
    pub fn open(
        date: NaiveDate,
        previous: Option<&PreviousDay>,
        initial_cash: Decimal,
        universe: &'a Universe,
        prices: &'a dyn DayPrices,
        actions: &[(NaiveDate, CorporateAction)],
        costs: Costs,
    ) -> Result<Self, DayError> {
        let start = match previous {
            Some(previous) => Start::after(previous, date, prices, actions)?,
            None => Start::first(date, initial_cash)?,
        };
        let account = Account { portfolio: start.portfolio.clone(), universe, prices, costs };
        Ok(Self { account, next_sequence: 0, start, fills: Vec::new(), refusals: Vec::new() })
    }

    /// The day.
    pub fn date(&self) -> NaiveDate {
        self.start.date
    }

    /// The portfolio after the orders so far.
    pub fn portfolio(&self) -> &Portfolio {
        &self.account.portfolio
    }

    /// The held symbols without a bar on the day, with the sessions of their last known prices.
    pub fn price_dates(&self) -> &BTreeMap<Symbol, NaiveDate> {
        &self.start.price_dates
    }

    /// What corporate actions did to the portfolio before the open.
    pub fn applied_actions(&self) -> &[AppliedAction] {
        &self.start.applied
    }

    /// The portfolio's value at the open, before any order, in dollars.
    pub fn starting_value(&self) -> Decimal {
        self.start.value
    }

    /// Fills `order` at the open, in full, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The first rule that the order breaks.
    pub fn submit(&mut self, order: &Order) -> Result<Fill, Refusal> {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.saturating_add(1);
        match self.account.fill(sequence, order) {
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

    /// Closes the book: values the portfolio at the day's open and close, and returns the day's accounts.
    ///
    /// # Errors
    /// When an amount is too large to be exact.
    pub fn close(self) -> Result<DayResult, DayError> {
        let Account { portfolio, prices, .. } = self.account;
        let at_close = |symbol: &Symbol| prices.close(symbol).or_else(|| prices.mark(symbol));
        let value_at_open = value(&portfolio, |symbol| prices.mark(symbol))?;
        let value_at_close = value(&portfolio, at_close)?;
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
            ending: portfolio,
            value_at_open,
            value_at_close,
            stale: self.start.stale,
            price_dates: self.start.price_dates,
        })
    }
}

impl Start {
    fn first(date: NaiveDate, initial_cash: Decimal) -> Result<Self, DayError> {
        let portfolio = Portfolio::new(initial_cash, Default::default())?;
        let (value, profit, return_pct) = (portfolio.cash(), Decimal::ZERO, Decimal::ZERO);
        let (applied, stale, price_dates) = (Vec::new(), Vec::new(), BTreeMap::new());
        let days_since_last_trading = 0;
        Ok(Self {
            date,
            days_since_last_trading,
            portfolio,
            value,
            profit,
            return_pct,
            applied,
            stale,
            price_dates,
        })
    }

    fn after(
        previous: &PreviousDay,
        date: NaiveDate,
        prices: &dyn DayPrices,
        actions: &[(NaiveDate, CorporateAction)],
    ) -> Result<Self, DayError> {
        let days = (date - previous.date).num_days();
        let days_since_last_trading = u32::try_from(days)
            .ok()
            .filter(|days| *days > 0)
            .ok_or(DayError::NotAfter { date, previous: previous.date })?;
        let mut portfolio = previous.portfolio.clone();
        let mut applied = Vec::new();
        for (date, due) in actions {
            applied.extend(pay_displaced(*date, due, &mut portfolio, prices)?);
            applied.extend(apply(*date, due, &mut portfolio, prices)?);
        }
        let value = value(&portfolio, |symbol| prices.mark(symbol))?;
        let profit = exact_difference(value, previous.ending_value_at_open).ok_or(DayError::TooLarge)?;
        let return_pct = percent(profit, previous.ending_value_at_open).ok_or(DayError::TooLarge)?;
        let stale = portfolio.holdings().keys().filter(|symbol| prices.open(symbol).is_none());
        let stale: Vec<Symbol> = stale.cloned().collect();
        let known = |symbol: &Symbol| Some((symbol.clone(), prices.last_known_on(symbol)?));
        let price_dates = stale.iter().filter_map(known).collect();
        Ok(Self {
            date,
            days_since_last_trading,
            portfolio,
            value,
            profit,
            return_pct,
            applied,
            stale,
            price_dates,
        })
    }
}

fn value(portfolio: &Portfolio, price: impl Fn(&Symbol) -> Option<Price>) -> Result<Decimal, DayError> {
    portfolio.value(&price).ok_or_else(|| {
        let unpriced = portfolio.holdings().keys().find(|symbol| price(symbol).is_none());
        unpriced.map_or(DayError::TooLarge, |symbol| DayError::Unpriced(symbol.clone()))
    })
}

/// `part` in percent of `whole`, half-even to 12 places; 0 when `whole` is 0.
fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    if whole.is_zero() {
        return Some(Decimal::ZERO);
    }
    let hundredfold = part.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(half_even(hundredfold.checked_div(whole)?, 12))
}

#[cfg(test)]
mod tests;
