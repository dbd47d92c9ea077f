//! The replay of recorded days. It makes no calls: a request without a recorded response ends its day as failed.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::accounting::fill::Fill;
use crate::accounting::portfolio::Portfolio;
use crate::agent::{AgentReport, Journal, Transcript};
use crate::job::{Job, JobState, Model};
use crate::market::calendar::Calendar;
use crate::market::known_actions::KnownActions;
use crate::market::price_table::PriceTable;
use crate::market::rules::MarketRules;
use crate::simulation::decider::Decider;
use crate::simulation::model_day::{CompletedDay, DayRef, FailedDay};
use crate::simulation::run::PortfolioDay;

mod day;
mod difference;
mod leaderboard_row;
mod portfolio;
#[cfg(test)]
mod tests;

pub use difference::{Difference, first_difference};
pub use leaderboard_row::leaderboard_row;
pub use portfolio::replay;

/// A job that has ended, with the inputs and the results of its days.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The job as it was accepted.
    pub job: Job,
    /// How it ended.
    pub state: JobState,
    /// The request's sessions as the job knew them.
    pub calendar: Calendar,
    /// The bars that its days could read.
    pub prices: PriceTable,
    /// The corporate actions that it knew.
    pub actions: KnownActions,
    /// What its days were shown of the market.
    pub rules: MarketRules,
    /// Its portfolios, by model and trial.
    pub portfolios: Vec<RecordedPortfolio>,
}

impl Bundle {
    /// Model-days that were run.
    pub fn days(&self) -> usize {
        self.portfolios.iter().map(|portfolio| portfolio.days.len()).sum()
    }

    /// The longest lookback of the job's models, in sessions.
    pub(crate) fn lookback(&self) -> usize {
        let lookback = |model: &Model| Decider::from(model).lookback();
        self.job.models.iter().map(lookback).max().unwrap_or_default()
    }
}

/// What one portfolio did in the job.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedPortfolio {
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
    /// Days of other jobs that days of this one continued from, oldest first.
    pub bases: Vec<BaseDay>,
    /// The days that were run, oldest first.
    pub days: Vec<RecordedDay>,
}

/// A day of another job that a day of this one continued from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseDay {
    /// Its end.
    #[serde(flatten)]
    pub end: PortfolioDay,
    /// The portfolio's value at its close, in dollars.
    pub value_at_close: Option<Decimal>,
}

/// A model-day that was run.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedDay {
    /// The session.
    pub date: NaiveDate,
    /// The revision that it wrote, or would have written.
    pub revision: u32,
    /// The day it continued from; `None` on a portfolio's first.
    pub base: Option<DayRef>,
    /// Days that the portfolio had completed before this one.
    pub day_index: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The requests and responses of that attempt; empty for models that call no endpoint.
    pub journal: Journal,
    /// How it ended.
    pub outcome: RecordedOutcome,
    /// The report of an agent whose conversation has ended.
    pub report: Option<AgentReport>,
}

/// How a model-day ended, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RecordedOutcome {
    /// It took effect.
    Completed {
        /// Its fills, in sequence.
        fills: Vec<Fill>,
        /// The position after them.
        position: Portfolio,
        /// The position's value at the day's open, in dollars.
        value_at_open: Decimal,
        /// The position's value at the day's close, in dollars; `None` in what the first versions stored.
        value_at_close: Option<Decimal>,
    },
    /// It failed and changed nothing.
    Failed {
        /// Why.
        error: String,
    },
}

impl RecordedOutcome {
    /// `completed` or `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A model-day that was run again.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedDay {
    /// How it ended. All its instants are the job's acceptance: a replay takes no time.
    pub outcome: ReplayedOutcome,
    /// The messages of an agent.
    pub transcript: Option<Transcript>,
    /// The response that was not recorded, when that ended the day.
    pub missing: Option<MissingResponse>,
}

/// How a replayed model-day ended.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplayedOutcome {
    /// It took effect.
    Completed {
        /// The day's accounts.
        day: Box<CompletedDay>,
        /// Its fills, in sequence.
        fills: Vec<Fill>,
    },
    /// It failed and changed nothing.
    Failed(Box<FailedDay>),
    /// An earlier day failed, and the job stops on failure.
    Skipped,
}

/// A response that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingResponse {
    /// The step, from 1.
    pub step: u32,
    /// Why there is none.
    pub why: String,
}
