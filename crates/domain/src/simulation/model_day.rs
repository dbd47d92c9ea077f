//! A model-day: one model (and trial) of one experiment on one session, and how it ended.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::accounting::corporate_action::AppliedAction;
use crate::accounting::order::Side;
use crate::accounting::portfolio::Portfolio;
use crate::accounting::refusal::RefusedOrder;
use crate::agent::AgentReport;
use crate::market::instruments::Symbol;
use crate::values::ids::ModelDayKey;

/// Why a day failed that ended its process again and again.
pub const CRASHED: &str = "crashed repeatedly";

/// Why a date is not run; in this order, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The exchange has no session on this weekday.
    MarketClosed,
    /// An earlier job completed it.
    AlreadyCompleted,
    /// Prices are missing.
    IncompletePriceData,
    /// The job was cancelled.
    Cancelled,
    /// An earlier day failed and the job stops on failure.
    StoppedAfterFailure,
    /// The job's budget is used up.
    BudgetExhausted,
}

impl SkipReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::MarketClosed,
        Self::AlreadyCompleted,
        Self::IncompletePriceData,
        Self::Cancelled,
        Self::StoppedAfterFailure,
        Self::BudgetExhausted,
    ];

    /// The reason as people read it; also its form in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MarketClosed => "market closed",
            Self::AlreadyCompleted => "already completed",
            Self::IncompletePriceData => "incomplete price data",
            Self::Cancelled => "cancelled",
            Self::StoppedAfterFailure => "stopped after failure",
            Self::BudgetExhausted => "budget exhausted",
        }
    }
}

/// A date that is not run, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedDate {
    /// The date.
    pub date: NaiveDate,
    /// Why it is not run.
    pub reason: SkipReason,
}

/// A completed day, as later days refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayRef {
    /// Its session.
    pub date: NaiveDate,
    /// Its revision; the highest of a date wins.
    pub revision: u32,
}

/// An order that was filled, as events and results tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Place among the day's orders, from 0.
    pub sequence: u32,
    /// Buy or sell.
    pub side: Side,
    /// What was traded.
    pub symbol: Symbol,
    /// Shares, at least 1.
    pub quantity: u64,
    /// Price of a share in dollars.
    pub price: Decimal,
    /// Fee in dollars.
    pub fee: Decimal,
    /// Cash after the fill.
    pub cash_after: Decimal,
}

/// A model-day that took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletedDay {
    /// Which model-day.
    pub key: ModelDayKey,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The highest revision of a portfolio's date wins.
    pub revision: u32,
    /// The day it continued from; `None` on a portfolio's first day.
    pub base: Option<DayRef>,
    /// The configuration it was made under.
    pub config_hash: String,
    /// What splits and dividends did to the base's position before the open.
    pub corporate_actions: Vec<AppliedAction>,
    /// Position before the first order; `None` when it is the base's ending position.
    pub starting_position: Option<Portfolio>,
    /// Value of the starting position at the day's open.
    pub starting_value: Decimal,
    /// Starting value less the base's value at its open; 0 on the first day.
    pub profit: Decimal,
    /// `profit` in percent of the base's value.
    pub return_pct: Decimal,
    /// Calendar days since the base; 0 on the first day.
    pub days_since_last_trading: u32,
    /// Filled orders.
    pub trades: Vec<Trade>,
    /// Refused orders.
    pub refused: Vec<RefusedOrder>,
    /// Position after the last order.
    pub ending_position: Portfolio,
    /// Value of the ending position at the day's open.
    pub value_at_open: Decimal,
    /// Value of the ending position at the day's close.
    pub value_at_close: Decimal,
    /// Held symbols without a bar, valued at their last known price.
    pub stale_symbols: Vec<Symbol>,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// When the attempt ended.
    pub completed_at: DateTime<Utc>,
    /// Of agents only.
    pub agent: Option<AgentReport>,
}

/// A model-day that failed and left no trace in its portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDay {
    /// Which model-day.
    pub key: ModelDayKey,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What went wrong.
    pub error: String,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// When the attempt ended.
    pub completed_at: DateTime<Utc>,
    /// Of agents only.
    pub agent: Option<AgentReport>,
}
