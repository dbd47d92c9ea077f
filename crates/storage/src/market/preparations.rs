//! Preparations: jobs whose prices are being made available.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::values::ids::JobId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::outbox::{self, MessageColumns, NewMessage, StoredMessage};
use crate::pool::PgPool;
use crate::sql::without_waiting_if;
use crate::transaction::Transaction;

/// A preparation that a worker has claimed.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// The job.
    pub job: JobId,
    /// Its `job.requested` body.
    pub body: String,
    /// W3C trace context of the job.
    pub traceparent: Option<String>,
    /// The fencing token: a write is refused once another worker has claimed the preparation.
    pub epoch: i64,
    /// Symbols that lacked prices when the download began.
    pub symbols_total: Option<u32>,
    /// Postgres' time at the claim.
    pub claimed_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct PreparationRow {
    job_id: Uuid,
    body: String,
    traceparent: Option<String>,
    epoch: i64,
    symbols_total: Option<i32>,
    claimed_at: DateTime<Utc>,
}

/// Stores that a job needs its prices, if trigger has accepted it; returns whether it has. A second time changes nothing.
/// What Postgres loses in a crash is found by [`missing_preparations`].
pub async fn insert_preparation(
    pool: &PgPool,
    job: JobId,
    body: &str,
    traceparent: Option<&str>,
) -> Result<bool> {
    let (is_accepted,): (bool,) = sqlx::query_as(concat!(
        "-- preparations::insert_preparation
        WITH accepted AS (
            SELECT id FROM trigger.jobs WHERE id = $1
        ), stored AS (
            INSERT INTO market.preparations (job_id, body, traceparent)
            SELECT id, $2, $3 FROM accepted, ",
        without_waiting_if!("true"),
        "
            ON CONFLICT (job_id) DO NOTHING
        )
        SELECT EXISTS (SELECT FROM accepted)"
    ))
    .bind(job.0)
    .bind(body)
    .bind(traceparent)
    .fetch_one(pool)
    .await?;
    Ok(is_accepted)
}

/// Claims the preparation that has been due longest, for three seconds; `None` when there is none.
pub async fn claim_due(pool: &PgPool) -> Result<Option<Preparation>> {
    let row: Option<PreparationRow> = sqlx::query_as(
        "-- preparations::claim_due
        UPDATE market.preparations
        SET epoch = epoch + 1, lease_until = now() + interval '3 s', not_before = NULL, waits_for_source = NULL
        WHERE job_id = (
            SELECT job_id FROM market.preparations
            WHERE state = 'due' AND (lease_until IS NULL OR lease_until < now())
                AND (not_before IS NULL OR not_before <= now())
                AND (waits_for_source IS NULL OR NOT EXISTS (
                    SELECT FROM trigger.pauses WHERE kind = 'source' AND name = waits_for_source
                ))
            ORDER BY created_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING job_id, body, traceparent, epoch, symbols_total, now() AS claimed_at",
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Preparation {
        job: JobId(row.job_id),
        body: row.body,
        traceparent: row.traceparent,
        epoch: row.epoch,
        symbols_total: row.symbols_total.map(i32::cast_unsigned),
        claimed_at: row.claimed_at,
    }))
}

/// Renews the lease of a preparation for three seconds.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has claimed it.
pub async fn renew(pool: &PgPool, preparation: &Preparation) -> Result<()> {
    let renewed = sqlx::query(
        "-- preparations::renew
        UPDATE market.preparations
        SET lease_until = now() + interval '3 s'
        WHERE job_id = $1 AND epoch = $2 AND state = 'due'",
    )
    .bind(preparation.job.0)
    .bind(preparation.epoch)
    .execute(pool)
    .await?;
    if renewed.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

async fn fenced(pool: &PgPool, preparation: &Preparation) -> Result<Transaction> {
    let mut transaction = pool.begin().await?;
    let held = sqlx::query(
        "-- preparations::fenced
        SELECT FROM market.preparations WHERE job_id = $1 AND epoch = $2 AND state = 'due' FOR UPDATE",
    )
    .bind(preparation.job.0)
    .bind(preparation.epoch)
    .fetch_optional(&mut *transaction)
    .await?;
    match held {
        Some(_) => Ok(transaction),
        None => {
            transaction.rollback().await?;
            Err(StorageError::Fenced)
        }
    }
}

/// Writes messages about the download, and how many symbols lacked prices when it began.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has claimed the preparation.
pub async fn record_download(
    pool: &PgPool,
    preparation: &Preparation,
    symbols_total: u32,
    messages: &[NewMessage],
) -> Result<()> {
    let mut transaction = fenced(pool, preparation).await?;
    sqlx::query(
        "-- preparations::record_download\nUPDATE market.preparations SET symbols_total = $2 WHERE job_id = $1",
    )
    .bind(preparation.job.0)
    .bind(symbols_total.cast_signed())
    .execute(&mut *transaction)
    .await?;
    outbox::write(&mut transaction, messages).await?;
    transaction.commit().await?;
    Ok(())
}

/// Postpones a preparation until then.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has claimed it.
pub async fn postpone(
    pool: &PgPool,
    preparation: &Preparation,
    until: DateTime<Utc>,
    messages: &[NewMessage],
) -> Result<()> {
    let mut transaction = fenced(pool, preparation).await?;
    sqlx::query(
        "-- preparations::postpone
        UPDATE market.preparations SET not_before = $2, lease_until = NULL WHERE job_id = $1",
    )
    .bind(preparation.job.0)
    .bind(until)
    .execute(&mut *transaction)
    .await?;
    outbox::write(&mut transaction, messages).await?;
    transaction.commit().await?;
    Ok(())
}

/// Puts a preparation off until `source` is not paused any more.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has claimed it.
pub async fn wait_for_source(pool: &PgPool, preparation: &Preparation, source: &str) -> Result<()> {
    let waits = sqlx::query(
        "-- preparations::wait_for_source
        UPDATE market.preparations
        SET waits_for_source = $3, lease_until = NULL
        WHERE job_id = $1 AND epoch = $2 AND state = 'due'",
    )
    .bind(preparation.job.0)
    .bind(preparation.epoch)
    .bind(source)
    .execute(pool)
    .await?;
    if waits.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// Hands a preparation back, so that a worker claims it again after `delay`.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has claimed it.
pub async fn hand_back(pool: &PgPool, preparation: &Preparation, delay: Duration) -> Result<()> {
    let handed = sqlx::query(
        "-- preparations::hand_back
        UPDATE market.preparations
        SET not_before = now() + make_interval(secs => $3), lease_until = NULL
        WHERE job_id = $1 AND epoch = $2 AND state = 'due'",
    )
    .bind(preparation.job.0)
    .bind(preparation.epoch)
    .bind(delay.as_secs_f64())
    .execute(pool)
    .await?;
    if handed.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// Ends a preparation with the messages about its outcome.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has claimed it.
pub async fn finish(pool: &PgPool, preparation: &Preparation, messages: &[NewMessage]) -> Result<()> {
    let columns = MessageColumns::of(messages.iter());
    let (ended,): (i64,) = sqlx::query_as(
        "-- preparations::finish
        WITH ended AS (
            UPDATE market.preparations
            SET state = 'done', done_at = now(), lease_until = NULL
            WHERE job_id = $1 AND epoch = $2 AND state = 'due'
            RETURNING job_id
        ), written AS (
            INSERT INTO outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
            SELECT message.*
            FROM ended
            CROSS JOIN UNNEST($3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[])
                AS message
        )
        SELECT count(*) FROM ended",
    )
    .bind(preparation.job.0)
    .bind(preparation.epoch)
    .bind(columns.event_ids)
    .bind(columns.kinds)
    .bind(columns.exchanges)
    .bind(columns.routing_keys)
    .bind(columns.jobs)
    .bind(columns.traceparents)
    .bind(columns.bodies)
    .fetch_one(pool)
    .await?;
    if ended == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// Requests in trigger's outbox that have no preparation, because the broker has not delivered or has lost them.
pub async fn missing_preparations(pool: &PgPool) -> Result<Vec<StoredMessage>> {
    let rows = sqlx::query_as(
        "-- preparations::missing_preparations
        SELECT o.id, o.event_id, o.kind, o.exchange, o.routing_key, o.job_id, o.traceparent, o.body, o.created_at
        FROM trigger.outbox o
        WHERE o.kind = 'modelday.job.requested.v1'
            AND NOT EXISTS (SELECT FROM market.preparations p WHERE p.job_id = o.job_id)
        ORDER BY o.id
        LIMIT 1000",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
