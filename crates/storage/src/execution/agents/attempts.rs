//! Attempts at an agent's day. One is open for each portfolio and date; it is resumed until it has ended.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;

use super::super::lanes::{self, Lane};
use crate::error::{Result, StorageError};
use crate::outbox::NewMessage;
use crate::pool::PgPool;

/// An open attempt in the hands of the lane's worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The session.
    pub date: NaiveDate,
    /// The revision that it would write.
    pub revision: u32,
    /// Counted from 1 for each portfolio, date and revision.
    pub number: u32,
    /// Time worked on it so far, without waits, in milliseconds.
    pub active_ms: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Whether it is new, so that its journal is empty.
    pub fresh: bool,
}

/// The open attempt, or the one that would be next.
#[derive(FromRow)]
struct AttemptRow {
    attempt: i32,
    active_ms: i64,
    started_at: DateTime<Utc>,
    fresh: bool,
    /// Whether an attempt of another job or revision is open.
    other_is_open: bool,
}

/// The lane's open attempt at a day, or a new one; `started` makes the event that reports a new one.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane.
pub async fn begin_attempt<E: From<StorageError>>(
    pool: &PgPool,
    lane: &Lane,
    date: NaiveDate,
    revision: u32,
    started: impl FnOnce(&Attempt) -> std::result::Result<NewMessage, E>,
) -> std::result::Result<Attempt, E> {
    let row = look(pool, lane, date, revision).await?;
    let attempt = Attempt {
        date,
        revision,
        number: row.attempt.cast_unsigned(),
        active_ms: row.active_ms.cast_unsigned(),
        started_at: row.started_at,
        fresh: row.fresh,
    };
    if row.other_is_open {
        abandon(pool, lane, date).await?;
    }
    if attempt.fresh {
        begin(pool, lane, &attempt, &started(&attempt)?).await?;
    }
    Ok(attempt)
}

async fn look(pool: &PgPool, lane: &Lane, date: NaiveDate, revision: u32) -> Result<AttemptRow> {
    let row = sqlx::query_as(
        "-- attempts::look
        SELECT coalesce(open.attempt, last.attempt + 1) AS attempt, coalesce(open.active_ms, 0) AS active_ms,
            coalesce(open.started_at, now()) AS started_at, open.attempt IS NULL AS fresh,
            EXISTS (
                SELECT FROM execution.attempts AS other
                WHERE other.portfolio_id = $1 AND other.trading_date = $2 AND other.ended IS NULL
                    AND (other.job_id, other.revision) <> ($3, $4)
            ) AS other_is_open
        FROM (
            SELECT coalesce(max(attempt), 0) AS attempt
            FROM execution.attempts
            WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $4
        ) AS last
        LEFT JOIN execution.attempts AS open
            ON open.portfolio_id = $1 AND open.trading_date = $2 AND open.ended IS NULL AND open.job_id = $3
                AND open.revision = $4",
    )
    .bind(lane.portfolio.0)
    .bind(date)
    .bind(lane.job.0)
    .bind(revision.cast_signed())
    .fetch_one(pool)
    .await?;
    Ok(row)
}

/// Ends the open attempt of another job: this job does not continue that job's journal.
async fn abandon(pool: &PgPool, lane: &Lane, date: NaiveDate) -> Result<()> {
    let mut transaction = pool.begin().await?;
    lanes::hold(&mut transaction, lane).await?;
    sqlx::query(
        "-- attempts::abandon
        UPDATE execution.attempts
        SET ended = 'abandoned', ended_at = now()
        WHERE portfolio_id = $1 AND trading_date = $2 AND ended IS NULL",
    )
    .bind(lane.portfolio.0)
    .bind(date)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Stores a new attempt with its event.
async fn begin(pool: &PgPool, lane: &Lane, attempt: &Attempt, started: &NewMessage) -> Result<()> {
    let begun = sqlx::query(
        "-- attempts::begin
        WITH lane AS (
            UPDATE execution.lanes
            SET crashes = 0
            WHERE id = $13 AND epoch = $14 AND state = 'ready'
            RETURNING id
        ), attempt AS (
            INSERT INTO execution.attempts (portfolio_id, trading_date, revision, attempt, job_id, started_at)
            SELECT $1, $2, $3, $4, $5, $6 FROM lane
        ), message AS (
            INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
            SELECT $7, $8, $9, $10, $5, $11, $12 FROM lane
        )
        SELECT FROM lane",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(lane.job.0)
    .bind(attempt.started_at)
    .bind(started.event_id)
    .bind(started.kind)
    .bind(started.exchange)
    .bind(started.routing_key)
    .bind(&started.traceparent)
    .bind(&started.body)
    .bind(lane.id.0)
    .bind(lane.epoch)
    .fetch_optional(pool)
    .await?;
    if begun.is_some() { Ok(()) } else { Err(StorageError::Fenced) }
}

/// Ends an attempt without a result; the day's next attempt begins with an empty journal.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane.
pub async fn end_attempt(pool: &PgPool, lane: &Lane, attempt: &Attempt, how: &str) -> Result<()> {
    let mut transaction = pool.begin().await?;
    lanes::hold(&mut transaction, lane).await?;
    sqlx::query(
        "-- attempts::end
        UPDATE execution.attempts
        SET ended = $5, ended_at = now()
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3 AND attempt = $4",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(how)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
