//! A model-day, one model (and trial) of one experiment on one session, and how it ended.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::accounting::applied_action::AppliedAction;
use crate::accounting::order::Side;
use crate::accounting::portfolio::Portfolio;
use crate::accounting::refusal::RefusedOrder;
use crate::agent::AgentReport;
use crate::market::instruments::Symbol;
use crate::values::ids::ModelDayKey;

/// The error of a day that crashed its process repeatedly.
pub const CRASHED: &str = "crashed repeatedly";

/// Why a date is not run. When several reasons apply, the first in this order is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The exchange has no session on this weekday.
    MarketClosed,
    /// An earlier job completed the date.
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
    /// The reason as text, which is shown to users and stored in the database.
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

/// Reference to a completed day of a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DayRef {
    /// Its session.
    pub date: NaiveDate,
    /// Its revision, from 1; the highest of a date wins.
    pub revision: u32,
}

/// The winning result of a completed date: the one with the highest revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// Its revision, from 1.
    pub revision: u32,
    /// The day from which it continued; `None` for a portfolio's first day.
    pub base: Option<DayRef>,
    /// Hash of the model's configuration when the day ran.
    pub config_hash: String,
    /// Whether prices that it ran on were replaced later.
    pub repriced: bool,
}

/// The winners of one portfolio by date.
pub type Winners = BTreeMap<NaiveDate, Winner>;

/// A filled order as it stands in events and results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Position among the day's orders, from 0.
    pub sequence: u32,
    /// Buy or sell.
    pub side: Side,
    /// What was traded.
    pub symbol: Symbol,
    /// Shares, at least 1.
    pub quantity: u64,
    /// Price of one share, in dollars.
    pub price: Decimal,
    /// Fee, in dollars.
    pub fee: Decimal,
    /// Cash after the fill, in dollars.
    pub cash_after: Decimal,
}

/// A completed model-day.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletedDay {
    /// The model-day.
    pub key: ModelDayKey,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The revision, from 1; the highest of a portfolio's date wins.
    pub revision: u32,
    /// The day from which it continued; `None` on a portfolio's first day.
    pub base: Option<DayRef>,
    /// Hash of the model's configuration.
    pub config_hash: String,
    /// The effects of corporate actions on the base's position, before the open.
    pub corporate_actions: Vec<AppliedAction>,
    /// Position before the first order; `None` when it is the base's ending position.
    pub starting_position: Option<Portfolio>,
    /// Value of the starting position at the day's open, in dollars.
    pub starting_value: Decimal,
    /// Starting value less the base's value at its open, in dollars; 0 on the first day.
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
    /// Held symbols without a bar that day; they are valued at their last known price.
    pub stale_symbols: Vec<Symbol>,
    /// The sessions of the last known prices of these symbols; events of the first versions have none.
    pub price_dates: BTreeMap<Symbol, NaiveDate>,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// When the attempt ended.
    pub completed_at: DateTime<Utc>,
    /// `None` unless the model is an agent.
    pub agent: Option<AgentReport>,
}

/// A failed model-day; it did not change its portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDay {
    /// The model-day.
    pub key: ModelDayKey,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Description of the failure.
    pub error: String,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// When the attempt ended.
    pub completed_at: DateTime<Utc>,
    /// `None` unless the model is an agent.
    pub agent: Option<AgentReport>,
}
