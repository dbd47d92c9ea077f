//! The accounts of a closed model-day.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::corporate_action::AppliedAction;
use crate::accounting::day_book::PreviousDay;
use crate::accounting::order::{Fill, RefusedOrder};
use crate::accounting::portfolio::Portfolio;
use crate::market::instruments::Symbol;

/// All that one model did and owned on one day. Amounts in dollars, exact, without trailing zeros.
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
    /// `starting` at the day's open.
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
    /// `ending` at the day's open: the starting value less the costs of trading.
    pub value_at_open: Decimal,
    /// `ending` at the day's close.
    pub value_at_close: Decimal,
    /// Held symbols without a bar that day, valued at their last known price; in symbol order.
    pub stale: Vec<Symbol>,
}

impl DayResult {
    /// What the portfolio's next day continues from.
    pub fn as_previous(&self) -> PreviousDay {
        PreviousDay {
            date: self.date,
            portfolio: self.ending.clone(),
            ending_value_at_open: self.value_at_open,
        }
    }

    /// The notional of all fills, purchases and sales alike.
    pub fn gross_turnover(&self) -> Decimal {
        self.total(|fill| fill.notional)
    }

    /// The fees of all fills.
    pub fn fees(&self) -> Decimal {
        self.total(|fill| fill.fee)
    }

    fn total(&self, amount: impl Fn(&Fill) -> Decimal) -> Decimal {
        let sum = self.fills.iter().fold(Decimal::ZERO, |sum, fill| sum.saturating_add(amount(fill)));
        sum.normalize()
    }
}
