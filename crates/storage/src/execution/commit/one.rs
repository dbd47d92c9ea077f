//! One day in one statement, with as much of it as there is.

use std::slice;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::super::days::DayCommit;
use super::Written;
use super::columns::{FillColumns, ResultColumns};
use crate::error::{Result, StorageError};
use crate::outbox::Columns;

/// The end of a day: `$agent` and `$fills` are what else it writes.
macro_rules! commit_day {
    ($name:literal, $agent:expr, $fills:expr) => {
        concat!(
            "-- days::",
            $name,
            "
        WITH lane AS (
            UPDATE execution.lanes
            SET done = done + 1, crashes = 0,
                turn = CASE WHEN $4::uuid IS NULL THEN turn ELSE turn + 1 END,
                lease_until = CASE WHEN $4 IS NULL THEN now() + interval '3 s' END,
                sent_at = CASE WHEN $4 IS NULL THEN sent_at ELSE now() END,
                resends = CASE WHEN $4 IS NULL THEN resends ELSE 0 END
            WHERE id = $1 AND epoch = $2 AND done = $3 AND done < days AND state = 'ready'
            RETURNING job_id, portfolio_id
        ), day AS (
            INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, attempt, detail, revision,
                base_date, base_revision, config_hash, cash, holdings, value_at_open, value_at_close)
            SELECT job_id, portfolio_id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM lane
        ), messages AS (
            INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body, relay_from)
            SELECT message.event_id, message.kind, message.exchange, message.routing_key, lane.job_id,
                message.traceparent, message.body, CASE WHEN message.event_id = $4 THEN now() + interval '1 s' END
            FROM lane, UNNEST($17::uuid[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[])
                AS message (event_id, kind, exchange, routing_key, traceparent, body)
            RETURNING id, event_id, created_at
        ",
            $agent,
            $fills,
            "
        )
        SELECT next.id, next.created_at FROM lane LEFT JOIN messages AS next ON next.event_id = $4",
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
pub async fn commit_day(db: impl PgExecutor<'_>, commit: &DayCommit) -> Result<Written> {
    let result = ResultColumns::of(&commit.row);
    let fills = FillColumns::of(slice::from_ref(commit));
    let messages = Columns::of(commit.messages());
    let statement = match (&commit.agent, fills.lanes.is_empty()) {
        (None, true) => COMMIT_DAY,
        (Some(_), true) => COMMIT_DAY_OF_AGENT,
        (None, false) => COMMIT_DAY_WITH_FILLS,
        (Some(_), false) => COMMIT_DAY_OF_AGENT_WITH_FILLS,
    };
    let (base_date, base_revision) = (result.base_date(), result.base_revision());
    let mut query = sqlx::query_as(statement)
        .bind(commit.lane.0)
        .bind(commit.epoch)
        .bind(commit.done_column())
        .bind(commit.next_turn.as_ref().map(|message| message.event_id))
        .bind(commit.date)
        .bind(result.state)
        .bind(commit.attempt.cast_signed())
        .bind(result.detail)
        .bind(result.revision)
        .bind(base_date)
        .bind(base_revision)
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
    if commit.agent.is_some() || !fills.lanes.is_empty() {
        query = query
            .bind(commit.agent.as_ref().map(|agent| agent.reason.as_str()))
            .bind(commit.agent.as_ref().map(|agent| agent.revision.cast_signed()))
            .bind(commit.agent.as_ref().map(|agent| &agent.transcript));
    }
    if !fills.lanes.is_empty() {
        query = query
            .bind(fills.sequences)
            .bind(fills.sides)
            .bind(fills.symbols)
            .bind(fills.quantities)
            .bind(fills.prices)
            .bind(fills.fees)
            .bind(fills.cash_after)
            .bind(fills.positions_after);
    }
    let written: Option<(Option<i64>, Option<DateTime<Utc>>)> = query.fetch_optional(db).await?;
    let (id, created_at) = written.ok_or(StorageError::Fenced)?;
    Ok(Written::of(commit, id, created_at))
}
