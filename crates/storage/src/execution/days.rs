//! Model-days: one statement a day, fenced by the lane's epoch.

use chrono::NaiveDate;
use domain::model_day::{DayRef, SkipReason};
use domain::order::Fill;
use domain::portfolio::Portfolio;
use rust_decimal::Decimal;
use sqlx::{PgExecutor, PgPool};

use super::lanes::Lane;
use crate::error::{Result, StorageError};
use crate::outbox::{self, Outgoing};

/// How a day ended.
#[derive(Debug, Clone)]
pub enum DayRow<'a> {
    /// It took effect.
    Completed {
        /// The revision it writes.
        revision: u32,
        /// The day it continued from.
        base: Option<DayRef>,
        /// The configuration it was made under.
        config_hash: &'a str,
        /// The position after the last order.
        position: &'a Portfolio,
        /// The position's value at the day's open.
        value_at_open: Decimal,
        /// The position's value at the day's close.
        value_at_close: Decimal,
        /// Its fills.
        fills: &'a [Fill],
    },
    /// It failed and changes nothing.
    Failed(&'a str),
    /// It was not run after all.
    Skipped(SkipReason),
}

/// The end of a day.
#[derive(Debug, Clone)]
pub struct DayCommit<'a> {
    /// The session.
    pub date: NaiveDate,
    /// Which attempt, from 1; 0 when it was not run.
    pub attempt: u32,
    /// How it ended.
    pub row: DayRow<'a>,
    /// The events that tell it and, when the turn ends, the next turn's message.
    pub messages: &'a [Outgoing],
    /// Whether the turn ends with this day.
    pub ends_turn: bool,
    /// Of agents: the attempt that ends with the day.
    pub agent: Option<AgentEnd<'a>>,
}

/// The end of an agent's attempt, with its conversation.
#[derive(Debug, Clone, Copy)]
pub struct AgentEnd<'a> {
    /// The revision that it writes, or would have written.
    pub revision: u32,
    /// Why it ended.
    pub reason: &'a str,
    /// The conversation.
    pub transcript: &'a serde_json::Value,
}

/// The end of a day in one statement, with as much of it as there is: `$agent` and `$fills` are what else it writes.
macro_rules! commit_day {
    ($name:literal, $agent:expr, $fills:expr) => {
        concat!(
            "-- days::",
            $name,
            "
        WITH lane AS (
            UPDATE execution.lanes
            SET done = done + 1, crashes = 0,
                turn = CASE WHEN $4 THEN turn + 1 ELSE turn END,
                lease_until = CASE WHEN $4 THEN NULL ELSE now() + interval '3 s' END,
                sent_at = CASE WHEN $4 THEN now() ELSE sent_at END,
                resends = CASE WHEN $4 THEN 0 ELSE resends END
            WHERE id = $1 AND epoch = $2 AND done = $3 AND done < days AND state = 'ready'
            RETURNING job_id, portfolio_id
        ), day AS (
            INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, attempt, detail, revision,
                base_date, base_revision, config_hash, cash, holdings, value_at_open, value_at_close)
            SELECT job_id, portfolio_id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM lane
        ), messages AS (
            INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
            SELECT message.event_id, message.kind, message.exchange, message.routing_key, lane.job_id,
                message.traceparent, message.body
            FROM lane, UNNEST($17::uuid[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[])
                AS message (event_id, kind, exchange, routing_key, traceparent, body)
        ",
            $agent,
            $fills,
            "
        )
        SELECT FROM lane",
        )
    };
}

macro_rules! agent {
    () => {
        "), attempt AS (
            UPDATE execution.attempts
            SET ended = $23, ended_at = now()
            FROM lane
            WHERE attempts.portfolio_id = lane.portfolio_id AND trading_date = $5 AND attempts.revision = $24
                AND attempts.attempt = $7
        ), transcript AS (
            INSERT INTO execution.transcripts (portfolio_id, trading_date, job_id, revision, attempt, reason, body)
            SELECT portfolio_id, $5, job_id, $24, $7, $23, $25 FROM lane
        "
    };
}

macro_rules! fills {
    () => {
        "), fills AS (
            INSERT INTO execution.fills (portfolio_id, trading_date, revision, sequence, side, symbol, quantity,
                price, fee, cash_after, position_after)
            SELECT lane.portfolio_id, $5, $9, fill.*
            FROM lane, UNNEST($26::int[], $27::text[], $28::text[], $29::bigint[], $30::numeric[], $31::numeric[],
                $32::numeric[], $33::bigint[]) AS fill
        "
    };
}

const COMMIT_DAY: &str = commit_day!("commit_day", "", "");
const COMMIT_DAY_OF_AGENT: &str = commit_day!("commit_day of_agent", agent!(), "");
const COMMIT_DAY_WITH_FILLS: &str = commit_day!("commit_day with_fills", "", fills!());
const COMMIT_DAY_OF_AGENT_WITH_FILLS: &str =
    commit_day!("commit_day of_agent with_fills", agent!(), fills!());

/// Commits the day at the lane's front: result, fills, messages and the lane's progress, at once.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken the lane; nothing is written then.
pub async fn commit_day(
    db: impl PgExecutor<'_>,
    lane: &Lane,
    done: usize,
    commit: &DayCommit<'_>,
) -> Result<()> {
    let result = ResultColumns::of(&commit.row)?;
    let fills = FillColumns::of(&commit.row);
    let messages = outbox::Columns::of(commit.messages);
    let statement = match (commit.agent, fills.sequences.is_empty()) {
        (None, true) => COMMIT_DAY,
        (Some(_), true) => COMMIT_DAY_OF_AGENT,
        (None, false) => COMMIT_DAY_WITH_FILLS,
        (Some(_), false) => COMMIT_DAY_OF_AGENT_WITH_FILLS,
    };
    let mut written = sqlx::query(statement)
        .bind(lane.id.0)
        .bind(lane.epoch)
        .bind(i32::try_from(done).unwrap_or(i32::MAX))
        .bind(commit.ends_turn)
        .bind(commit.date)
        .bind(result.state)
        .bind(commit.attempt.cast_signed())
        .bind(result.detail)
        .bind(result.revision)
        .bind(result.base.map(|base| base.date))
        .bind(result.base.map(|base| base.revision.cast_signed()))
        .bind(result.config_hash)
        .bind(result.cash)
        .bind(result.holdings)
        .bind(result.value_at_open)
        .bind(result.value_at_close)
        .bind(messages.event_ids)
        .bind(messages.kinds)
        .bind(messages.exchanges)
        .bind(messages.routing_keys)
        .bind(messages.traceparents)
        .bind(messages.bodies);
    if commit.agent.is_some() || !fills.sequences.is_empty() {
        written = written
            .bind(commit.agent.map(|agent| agent.reason))
            .bind(commit.agent.map(|agent| agent.revision.cast_signed()))
            .bind(commit.agent.map(|agent| agent.transcript));
    }
    if !fills.sequences.is_empty() {
        written = written
            .bind(fills.sequences)
            .bind(fills.sides)
            .bind(fills.symbols)
            .bind(fills.quantities)
            .bind(fills.prices)
            .bind(fills.fees)
            .bind(fills.cash_after)
            .bind(fills.positions_after);
    }
    let written = written.fetch_optional(db).await?;
    if written.is_some() { Ok(()) } else { Err(StorageError::Fenced) }
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

#[derive(Default)]
struct ResultColumns<'a> {
    state: &'static str,
    detail: Option<&'a str>,
    revision: Option<i32>,
    base: Option<DayRef>,
    config_hash: Option<&'a str>,
    cash: Option<Decimal>,
    holdings: Option<serde_json::Value>,
    value_at_open: Option<Decimal>,
    value_at_close: Option<Decimal>,
}

impl<'a> ResultColumns<'a> {
    fn of(row: &DayRow<'a>) -> Result<Self> {
        Ok(match row {
            DayRow::Completed {
                revision,
                base,
                config_hash,
                position,
                value_at_open,
                value_at_close,
                ..
            } => Self {
                state: "completed",
                detail: None,
                revision: Some(revision.cast_signed()),
                base: *base,
                config_hash: Some(config_hash),
                cash: Some(position.cash()),
                holdings: Some(
                    serde_json::to_value(position.holdings())
                        .map_err(|problem| StorageError::corrupt("execution.model_days", problem))?,
                ),
                value_at_open: Some(*value_at_open),
                value_at_close: Some(*value_at_close),
            },
            DayRow::Failed(error) => Self { state: "failed", detail: Some(error), ..Self::default() },
            DayRow::Skipped(reason) => {
                Self { state: "skipped", detail: Some(reason.as_str()), ..Self::default() }
            }
        })
    }
}

#[derive(Default)]
struct FillColumns<'a> {
    sequences: Vec<i32>,
    sides: Vec<&'static str>,
    symbols: Vec<&'a str>,
    quantities: Vec<i64>,
    prices: Vec<Decimal>,
    fees: Vec<Decimal>,
    cash_after: Vec<Decimal>,
    positions_after: Vec<i64>,
}

impl<'a> FillColumns<'a> {
    fn of(row: &DayRow<'a>) -> Self {
        let DayRow::Completed { fills, .. } = row else { return Self::default() };
        Self {
            sequences: fills.iter().map(|fill| fill.sequence.cast_signed()).collect(),
            sides: fills.iter().map(|fill| fill.side.as_str()).collect(),
            symbols: fills.iter().map(|fill| fill.symbol.as_str()).collect(),
            quantities: fills.iter().map(|fill| fill.quantity.cast_signed()).collect(),
            prices: fills.iter().map(|fill| fill.price.amount()).collect(),
            fees: fills.iter().map(|fill| fill.fee).collect(),
            cash_after: fills.iter().map(|fill| fill.cash_after).collect(),
            positions_after: fills.iter().map(|fill| fill.position_after.cast_signed()).collect(),
        }
    }
}
