//! Model-days of a lane that have ended, as they are about to be stored.

use chrono::NaiveDate;
use domain::accounting::fill::Fill;
use domain::accounting::portfolio::Portfolio;
use domain::agent::conversation::Conversation;
use domain::simulation::model_day::{DayRef, SkipReason};
use domain::values::ids::LaneId;
use rust_decimal::Decimal;

use super::lanes::Lane;
use crate::error::Result;
use crate::outbox::NewMessage;
use crate::pool::PgPool;

/// How a day ended.
#[derive(Debug, Clone)]
pub enum DayOutcome {
    /// It took effect.
    Completed(CompletedRow),
    /// It failed with this error, and changes nothing.
    Failed(String),
    /// It was not run after all.
    Skipped(SkipReason),
}

/// What a day that took effect leaves behind.
#[derive(Debug, Clone)]
pub struct CompletedRow {
    /// The revision it writes.
    pub revision: u32,
    /// The day it continued from.
    pub base: Option<DayRef>,
    /// The configuration it was made under.
    pub config_hash: String,
    /// The position after the last order.
    pub position: Portfolio,
    /// The position's value at the day's open, in dollars.
    pub value_at_open: Decimal,
    /// The position's value at the day's close, in dollars.
    pub value_at_close: Decimal,
    /// Its fills.
    pub fills: Vec<Fill>,
}

impl DayOutcome {
    /// The outcome's name in rows and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    pub(super) fn detail(&self) -> Option<&str> {
        match self {
            Self::Completed(_) => None,
            Self::Failed(error) => Some(error),
            Self::Skipped(reason) => Some(reason.as_str()),
        }
    }

    pub(super) fn completed(&self) -> Option<&CompletedRow> {
        match self {
            Self::Completed(row) => Some(row),
            Self::Failed(_) | Self::Skipped(_) => None,
        }
    }
}

/// A day that has ended.
#[derive(Debug, Clone)]
pub struct NewModelDay {
    /// The session.
    pub date: NaiveDate,
    /// Which attempt, from 1; 0 when it was not run.
    pub attempt: u32,
    /// How it ended.
    pub outcome: DayOutcome,
    /// The events that report it.
    pub events: Vec<NewMessage>,
}

/// The next days of a lane, to be stored in one commit.
#[derive(Debug, Clone)]
pub struct LaneCommit {
    /// The lane in whose name they are written.
    pub lane: LaneId,
    /// The right to write of the worker that took the lane.
    pub epoch: i64,
    /// Dates of the lane that had ended before this commit.
    pub done: usize,
    /// The days at the lane's next dates, in order; at least one.
    pub days: Vec<NewModelDay>,
    /// The next turn's message, when the turn ends with the last of the days.
    pub next_turn: Option<NewMessage>,
    /// Of an agent, whose days are committed one by one: the attempt that ends with the day.
    pub agent: Option<EndedAttempt>,
}

/// An agent's attempt that has ended, with its conversation.
#[derive(Debug, Clone)]
pub struct EndedAttempt {
    /// The revision that it writes, or would have written.
    pub revision: u32,
    /// Why it ended.
    pub reason: String,
    /// The conversation.
    pub conversation: Conversation,
}

impl LaneCommit {
    /// What goes into the outbox. The command stands first, since a worker waits for it: queues write messages in the
    /// order in which they get them.
    pub(super) fn messages(&self) -> impl Iterator<Item = &NewMessage> {
        self.next_turn.iter().chain(self.days.iter().flat_map(|day| &day.events))
    }

    /// The same days, each in a commit of its own.
    pub fn one_by_one(self) -> impl Iterator<Item = Self> {
        let Self { lane, epoch, done, days, mut next_turn, mut agent } = self;
        let last = days.len().saturating_sub(1);
        days.into_iter().enumerate().map(move |(place, day)| Self {
            lane,
            epoch,
            done: done + place,
            days: vec![day],
            next_turn: if place == last { next_turn.take() } else { None },
            agent: if place == last { agent.take() } else { None },
        })
    }
}

/// Whether a day of the lane has failed.
pub async fn has_failed(pool: &PgPool, lane: &Lane) -> Result<bool> {
    let (failed,): (bool,) = sqlx::query_as(
        "-- days::has_failed
        SELECT EXISTS (
            SELECT FROM execution.model_days WHERE job_id = $1 AND portfolio_id = $2 AND state = 'failed'
        )",
    )
    .bind(lane.job.0)
    .bind(lane.portfolio.0)
    .fetch_one(pool)
    .await?;
    Ok(failed)
}
