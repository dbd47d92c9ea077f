//! The accounts of a closed model-day, and what the next day needs of them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::applied_action::AppliedAction;
use crate::accounting::fill::Fill;
use crate::accounting::portfolio::Portfolio;
use crate::accounting::refusal::RefusedOrder;
use crate::market::instruments::Symbol;

/// The end of a portfolio's last completed day, from which its next day continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousDay {
    /// That day.
    pub date: NaiveDate,
    /// The portfolio after its last order.
    pub portfolio: Portfolio,
    /// The value of that portfolio at that day's open, in dollars.
    pub ending_value_at_open: Decimal,
}

/// Everything that one model did and owned on one day. Amounts are in dollars, exact, without trailing zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayResult {
    /// The day.
    pub date: NaiveDate,
    /// Calendar days since the portfolio's previous day; 0 on its first.
    pub days_since_last_trading: u32,
    /// What corporate actions did to the portfolio before the open.
    pub actions: Vec<AppliedAction>,
    /// The portfolio before the first order, after the day's corporate actions.
    pub starting: Portfolio,
    /// The value of `starting` at the day's open.
    pub starting_value: Decimal,
    /// `starting_value` less the previous day's ending value at its open; 0 on the first day.
    pub profit: Decimal,
    /// `profit` in percent of that value, half-even to 12 places; 0 on the first day.
    pub return_pct: Decimal,
    /// Orders carried out, in sequence.
    pub fills: Vec<Fill>,
    /// Orders refused, in sequence.
    pub refusals: Vec<RefusedOrder>,
    /// The portfolio after the last order.
    pub ending: Portfolio,
    /// The value of `ending` at the day's open: the starting value less the costs of trading.
    pub value_at_open: Decimal,
    /// The value of `ending` at the day's close.
    pub value_at_close: Decimal,
    /// Held symbols without a bar that day, valued at their last known price; in symbol order.
    pub stale: Vec<Symbol>,
    /// The sessions of the last known prices of these symbols.
    pub price_dates: BTreeMap<Symbol, NaiveDate>,
}

impl DayResult {
    /// The day as the portfolio's next day continues from it.
    pub fn into_previous(self) -> PreviousDay {
        PreviousDay { date: self.date, portfolio: self.ending, ending_value_at_open: self.value_at_open }
    }
}
