//! Attempts at an agent's day. One is open per portfolio and date; it is resumed until it has ended.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgPool};

use super::super::lanes::Lane;
use crate::error::{Result, StorageError};
use crate::outbox::{self, Outgoing};

/// An open attempt in the hands of the lane's worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The session.
    pub date: NaiveDate,
    /// The revision that it would write.
    pub revision: u32,
    /// Counted from 1 per portfolio, date and revision.
    pub number: u32,
    /// Time worked on it so far, waits left out, in milliseconds.
    pub active_ms: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Whether it is new: nothing is in its journal.
    pub fresh: bool,
}

#[derive(FromRow)]
struct Row {
    attempt: i32,
    active_ms: i64,
    started_at: DateTime<Utc>,
}

impl Row {
    fn attempt(self, date: NaiveDate, revision: u32, fresh: bool) -> Attempt {
        Attempt {
            date,
            revision,
            number: self.attempt.cast_unsigned(),
            active_ms: self.active_ms.cast_unsigned(),
            started_at: self.started_at,
            fresh,
        }
    }
}

/// The lane's open attempt at a day, or a new one; `told` makes the event that tells a new one.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken the lane.
pub async fn begin_attempt<E: From<StorageError>>(
    pool: &PgPool,
    lane: &Lane,
    date: NaiveDate,
    revision: u32,
    told: impl FnOnce(&Attempt) -> std::result::Result<Outgoing, E>,
) -> std::result::Result<Attempt, E> {
    let open = open(pool, lane, date, revision).await?;
    if let Some(row) = open {
        return Ok(row.attempt(date, revision, false));
    }
    let mut transaction = pool.begin().await.map_err(StorageError::from)?;
    let attempt = new(&mut transaction, lane, date, revision).await?.attempt(date, revision, true);
    outbox::write(&mut transaction, &[told(&attempt)?]).await?;
    transaction.commit().await.map_err(StorageError::from)?;
    Ok(attempt)
}

async fn open(pool: &PgPool, lane: &Lane, date: NaiveDate, revision: u32) -> Result<Option<Row>> {
    let row = sqlx::query_as(
        "-- attempts::open
        SELECT attempt, active_ms, started_at
        FROM execution.attempts
        WHERE portfolio_id = $1 AND trading_date = $2 AND ended IS NULL AND job_id = $3 AND revision = $4",
    )
    .bind(lane.portfolio.0)
    .bind(date)
    .bind(lane.job.0)
    .bind(revision.cast_signed())
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

async fn new(
    connection: &mut sqlx::PgConnection,
    lane: &Lane,
    date: NaiveDate,
    revision: u32,
) -> Result<Row> {
    super::super::lanes::hold(&mut *connection, lane).await?;
    // Another job's attempt that was cut off: its journal is not ours to go on with.
    sqlx::query(
        "-- attempts::new abandon
        UPDATE execution.attempts
        SET ended = 'abandoned', ended_at = now()
        WHERE portfolio_id = $1 AND trading_date = $2 AND ended IS NULL",
    )
    .bind(lane.portfolio.0)
    .bind(date)
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query_as(
        "-- attempts::new
        INSERT INTO execution.attempts (portfolio_id, trading_date, revision, attempt, job_id)
        SELECT $1, $2, $3, coalesce(max(attempt), 0) + 1, $4
        FROM execution.attempts
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3
        RETURNING attempt, active_ms, started_at",
    )
    .bind(lane.portfolio.0)
    .bind(date)
    .bind(revision.cast_signed())
    .bind(lane.job.0)
    .fetch_one(&mut *connection)
    .await?;
    Ok(row)
}

/// Ends an attempt without a result; the day's next attempt begins with an empty journal.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken the lane.
pub async fn end_attempt(pool: &PgPool, lane: &Lane, attempt: &Attempt, how: &str) -> Result<()> {
    let mut transaction = pool.begin().await?;
    super::super::lanes::hold(&mut transaction, lane).await?;
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
