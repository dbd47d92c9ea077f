//! What a day begins with.

use rust_decimal::Decimal;

use crate::accounting::day_book::DayBook;
use crate::agent::dialect::Dialect;
use crate::agent::settings::AgentSettings;
use crate::market::as_of::AsOf;
use crate::market::instruments::Universe;
use crate::values::ids::ModelDayKey;

/// What a session is opened with.
pub struct Opening<'a> {
    /// Which model-day it is.
    pub key: &'a ModelDayKey,
    /// The agent's settings.
    pub settings: &'a AgentSettings,
    /// The endpoint's protocol.
    pub dialect: Dialect,
    /// What may be traded.
    pub universe: &'a Universe,
    /// The market as known at the day's open.
    pub as_of: AsOf<'a>,
    /// The day's book, just opened.
    pub book: DayBook<'a>,
    /// Dollars of the portfolio before its first day.
    pub initial_cash: Decimal,
}
