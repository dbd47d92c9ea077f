//! Model-days as they end: result, fills, messages and the lane's progress.

use chrono::NaiveDate;
use domain::accounting::fill::Fill;
use domain::accounting::portfolio::Portfolio;
use domain::simulation::model_day::{DayRef, SkipReason};
use domain::values::ids::LaneId;
use rust_decimal::Decimal;
use sqlx::PgPool;

use super::lanes::Lane;
use crate::error::Result;
use crate::outbox::NewMessage;

/// How a day ended.
#[derive(Debug, Clone)]
pub enum DayRow {
    /// It took effect.
    Completed {
        /// The revision it writes.
        revision: u32,
        /// The day it continued from.
        base: Option<DayRef>,
        /// The configuration it was made under.
        config_hash: String,
        /// The position after the last order.
        position: Portfolio,
        /// The position's value at the day's open.
        value_at_open: Decimal,
        /// The position's value at the day's close.
        value_at_close: Decimal,
        /// Its fills.
        fills: Vec<Fill>,
    },
    /// It failed and changes nothing.
    Failed(String),
    /// It was not run after all.
    Skipped(SkipReason),
}

/// The end of a day.
#[derive(Debug, Clone)]
pub struct DayCommit {
    /// The lane in whose name it is written.
    pub lane: LaneId,
    /// The right to write of the worker that took the lane.
    pub epoch: i64,
    /// Days of the lane before it.
    pub done: usize,
    /// The session.
    pub date: NaiveDate,
    /// Which attempt, from 1; 0 when it was not run.
    pub attempt: u32,
    /// How it ended.
    pub row: DayRow,
    /// The events that tell it.
    pub events: Vec<NewMessage>,
    /// The next turn's message, when the turn ends with this day.
    pub next_turn: Option<NewMessage>,
    /// Of agents: the attempt that ends with the day.
    pub agent: Option<AgentEnd>,
}

/// The end of an agent's attempt, with its conversation.
#[derive(Debug, Clone)]
pub struct AgentEnd {
    /// The revision that it writes, or would have written.
    pub revision: u32,
    /// Why it ended.
    pub reason: String,
    /// The conversation.
    pub transcript: serde_json::Value,
}

impl DayCommit {
    /// What goes into the outbox. A command stands first, since somebody waits for it: queues write what they are
    /// given in order.
    pub(super) fn messages(&self) -> impl Iterator<Item = &NewMessage> {
        self.next_turn.iter().chain(&self.events)
    }

    /// `done` as Postgres has it.
    pub(super) fn done_column(&self) -> i32 {
        i32::try_from(self.done).unwrap_or(i32::MAX)
    }

    pub(super) fn fills(&self) -> &[Fill] {
        match &self.row {
            DayRow::Completed { fills, .. } => fills,
            DayRow::Failed(_) | DayRow::Skipped(_) => &[],
        }
    }
}

/// Whether a day of the lane has failed.
///
/// # Errors
/// When Postgres refuses.
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
