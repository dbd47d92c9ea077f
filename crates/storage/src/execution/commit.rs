//! The commit of a lane's next days: one statement that writes all of them, or nothing when the lane is in other hands.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::market::instruments::Symbol;
use rust_decimal::Decimal;
use sqlx::types::Json;
use sqlx_postgres::PgExecutor;

use super::days::{LaneCommit, NewModelDay};
use crate::error::{Result, StorageError};
use crate::outbox::{MessageColumns, StoredMessage};

/// `$agent` is what an agent's day writes besides.
macro_rules! commit_days {
    ($name:literal, $agent:expr) => {
        concat!(
            "-- commit::",
            $name,
            "
        WITH lane AS (
            UPDATE execution.lanes
            SET done = done + cardinality($5::date[]), crashes = 0,
                turn = CASE WHEN $4::uuid IS NULL THEN turn ELSE turn + 1 END,
                lease_until = CASE WHEN $4 IS NULL THEN now() + interval '3 s' END,
                not_before = CASE WHEN $4 IS NULL THEN not_before END,
                sent_at = CASE WHEN $4 IS NULL THEN sent_at ELSE now() END,
                resends = CASE WHEN $4 IS NULL THEN resends ELSE 0 END
            WHERE id = $1 AND epoch = $2 AND done = $3 AND done + cardinality($5::date[]) <= days AND state = 'ready'
            RETURNING job_id, portfolio_id
        ), days AS (
            INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, attempt, detail, revision,
                base_date, base_revision, config_hash, cash, holdings, value_at_open, value_at_close)
            SELECT lane.job_id, lane.portfolio_id, day.*
            FROM lane, UNNEST($5, $6::text[], $7::int[], $8::text[], $9::int[], $10::date[], $11::int[],
                $12::text[], $13::numeric[], $14::jsonb[], $15::numeric[], $16::numeric[]) AS day
        ), messages AS (
            INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body, relay_from)
            SELECT message.event_id, message.kind, message.exchange, message.routing_key, lane.job_id,
                message.traceparent, message.body, CASE WHEN message.event_id = $4 THEN now() + interval '1 s' END
            FROM lane, UNNEST($17::uuid[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[])
                WITH ORDINALITY AS message (event_id, kind, exchange, routing_key, traceparent, body, place)
            ORDER BY message.place
            RETURNING id, event_id, created_at
        ), fills AS (
            INSERT INTO execution.fills (portfolio_id, trading_date, revision, sequence, side, symbol, quantity, price,
                fee, cash_after, position_after)
            SELECT lane.portfolio_id, fill.*
            FROM lane, UNNEST($23::date[], $24::int[], $25::int[], $26::text[], $27::text[], $28::bigint[],
                $29::numeric[], $30::numeric[], $31::numeric[], $32::bigint[]) AS fill
        ",
            $agent,
            "
        )
        SELECT next.id, next.created_at FROM lane LEFT JOIN messages AS next ON next.event_id = $4",
        )
    };
}

const COMMIT_DAYS: &str = commit_days!("commit_days", "");
const COMMIT_DAY_OF_AGENT: &str = commit_days!(
    "commit_days of_agent",
    "), attempt AS (
            UPDATE execution.attempts
            SET ended = $33, ended_at = now()
            FROM lane
            WHERE attempts.portfolio_id = lane.portfolio_id AND trading_date = $5[1] AND attempts.revision = $34
                AND attempts.attempt = $7[1]
        ), transcript AS (
            INSERT INTO execution.transcripts (portfolio_id, trading_date, job_id, revision, attempt, reason, body)
            SELECT portfolio_id, $5[1], job_id, $34, $7[1], $33, $35 FROM lane
        "
);

/// Commits the days at the lane's front: results, fills, messages and the lane's progress, all at once.
///
/// Answers the next turn's message as it stands in the outbox, whose relay leaves it alone for a second: the caller
/// sends it.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane; nothing is written then.
pub async fn commit_days(db: impl PgExecutor<'_>, commit: &LaneCommit) -> Result<Option<StoredMessage>> {
    let days = DayColumns::of(&commit.days);
    let fills = FillColumns::of(&commit.days);
    let messages = MessageColumns::of(commit.messages());
    let statement = if commit.agent.is_some() { COMMIT_DAY_OF_AGENT } else { COMMIT_DAYS };
    let mut query = sqlx::query_as(statement)
        .bind(commit.lane.0)
        .bind(commit.epoch)
        .bind(i32::try_from(commit.done).unwrap_or(i32::MAX))
        .bind(commit.next_turn.as_ref().map(|message| message.event_id))
        .bind(days.dates)
        .bind(days.states)
        .bind(days.attempts)
        .bind(days.details)
        .bind(days.revisions)
        .bind(days.base_dates)
        .bind(days.base_revisions)
        .bind(days.config_hashes)
        .bind(days.cash)
        .bind(days.holdings)
        .bind(days.values_at_open)
        .bind(days.values_at_close)
        .bind(messages.event_ids)
        .bind(messages.kinds)
        .bind(messages.exchanges)
        .bind(messages.routing_keys)
        .bind(messages.traceparents)
        .bind(messages.bodies)
        .bind(fills.dates)
        .bind(fills.revisions)
        .bind(fills.sequences)
        .bind(fills.sides)
        .bind(fills.symbols)
        .bind(fills.quantities)
        .bind(fills.prices)
        .bind(fills.fees)
        .bind(fills.cash_after)
        .bind(fills.positions_after);
    if let Some(agent) = &commit.agent {
        query = query.bind(&agent.reason).bind(agent.revision.cast_signed()).bind(Json(&agent.conversation));
    }
    let written: Option<(Option<i64>, Option<DateTime<Utc>>)> = query.fetch_optional(db).await?;
    let (id, created_at) = written.ok_or(StorageError::Fenced)?;
    Ok(match (&commit.next_turn, id, created_at) {
        (Some(message), Some(id), Some(created_at)) => Some(message.stored(id, created_at)),
        _ => None,
    })
}

/// Days by column, as `UNNEST` takes them.
#[derive(Default)]
struct DayColumns<'a> {
    dates: Vec<NaiveDate>,
    states: Vec<&'static str>,
    attempts: Vec<i32>,
    details: Vec<Option<&'a str>>,
    revisions: Vec<Option<i32>>,
    base_dates: Vec<Option<NaiveDate>>,
    base_revisions: Vec<Option<i32>>,
    config_hashes: Vec<Option<&'a str>>,
    cash: Vec<Option<Decimal>>,
    holdings: Vec<Option<Json<&'a BTreeMap<Symbol, u64>>>>,
    values_at_open: Vec<Option<Decimal>>,
    values_at_close: Vec<Option<Decimal>>,
}

impl<'a> DayColumns<'a> {
    fn of(days: &'a [NewModelDay]) -> Self {
        let mut columns = Self::default();
        for NewModelDay { date, attempt, outcome, .. } in days {
            let completed = outcome.completed();
            let base = completed.and_then(|row| row.base);
            columns.dates.push(*date);
            columns.states.push(outcome.as_str());
            columns.attempts.push(attempt.cast_signed());
            columns.details.push(outcome.detail());
            columns.revisions.push(completed.map(|row| row.revision.cast_signed()));
            columns.base_dates.push(base.map(|base| base.date));
            columns.base_revisions.push(base.map(|base| base.revision.cast_signed()));
            columns.config_hashes.push(completed.map(|row| row.config_hash.as_str()));
            columns.cash.push(completed.map(|row| row.position.cash()));
            columns.holdings.push(completed.map(|row| Json(row.position.holdings())));
            columns.values_at_open.push(completed.map(|row| row.value_at_open));
            columns.values_at_close.push(completed.map(|row| row.value_at_close));
        }
        columns
    }
}

/// The fills of days by column.
#[derive(Default)]
struct FillColumns<'a> {
    dates: Vec<NaiveDate>,
    revisions: Vec<i32>,
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
    fn of(days: &'a [NewModelDay]) -> Self {
        let mut columns = Self::default();
        for day in days {
            let Some(row) = day.outcome.completed() else { continue };
            for fill in &row.fills {
                columns.dates.push(day.date);
                columns.revisions.push(row.revision.cast_signed());
                columns.sequences.push(fill.sequence.cast_signed());
                columns.sides.push(fill.side.as_str());
                columns.symbols.push(fill.symbol.as_str());
                columns.quantities.push(fill.quantity.cast_signed());
                columns.prices.push(fill.price.amount());
                columns.fees.push(fill.fee);
                columns.cash_after.push(fill.cash_after);
                columns.positions_after.push(fill.position_after.cast_signed());
            }
        }
        columns
    }
}
