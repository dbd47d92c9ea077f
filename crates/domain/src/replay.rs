//! Days that were run, run again from what was recorded of them. Nobody is asked anything.
//!
//! A request that has no recording ends its day as failed; it is never sent.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::fill::Fill;
use crate::accounting::known_actions::KnownActions;
use crate::accounting::portfolio::Portfolio;
use crate::agent::{AgentReport, Journal, Transcript};
use crate::job::{Job, JobState, Model};
use crate::market::calendar::Calendar;
use crate::market::price_table::PriceTable;
use crate::simulation::decider::Decider;
use crate::simulation::model_day::{CompletedDay, DayRef, FailedDay};
use crate::simulation::run::PortfolioDay;

mod compare;
mod portfolio;
mod run;
mod standing;
#[cfg(test)]
mod tests;

pub use compare::{Difference, compare};
pub use portfolio::replay;
pub use standing::standing;

/// A job that has ended, with all that its days looked at, heard and came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The job as it was accepted.
    pub job: Job,
    /// How it ended.
    pub state: JobState,
    /// The request's sessions as the job knew them.
    pub calendar: Calendar,
    /// The bars that its days could look at.
    pub prices: PriceTable,
    /// The splits and dividends that it knew.
    pub actions: KnownActions,
    /// Its portfolios, by model and trial.
    pub portfolios: Vec<RecordedPortfolio>,
}

impl Bundle {
    /// Model-days that were run.
    pub fn days(&self) -> usize {
        self.portfolios.iter().map(|portfolio| portfolio.days.len()).sum()
    }

    /// Sessions before a day that some model of the job looks back on.
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
    pub bases: Vec<Base>,
    /// The days that were run, oldest first.
    pub days: Vec<RecordedDay>,
}

/// A day of another job that a day of this one continued from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What it left.
    pub end: PortfolioDay,
    /// What that was worth at its close, in dollars.
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
    /// What that attempt asked and heard; empty of models that decide in memory.
    pub journal: Journal,
    /// What it came to.
    pub outcome: RecordedOutcome,
    /// Of agents whose conversation has ended: how it went.
    pub report: Option<AgentReport>,
}

/// What a model-day came to, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What it came to. Its instants are those at which the job was accepted: a replay takes no time.
    pub outcome: ReplayedOutcome,
    /// Of agents: what was said.
    pub transcript: Option<Transcript>,
    /// What the recording does not hold, when that ended the day.
    pub missing: Option<Missing>,
}

/// What a replayed model-day came to.
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

/// A request without a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The step, from 1.
    pub step: u32,
    /// Why nothing is known.
    pub why: String,
}
