//! Accepted jobs.

use chrono::{DateTime, NaiveDate, Utc};
use domain::values::ids::JobId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::outbox::NewMessage;

/// A job about to be accepted.
pub struct Acceptance<'a> {
    /// Its id.
    pub job: JobId,
    /// When.
    pub accepted_at: DateTime<Utc>,
    /// Its `job.requested` message; the row keeps the same body.
    pub message: NewMessage,
    /// Most jobs that may be active at once, this one included.
    pub max_active: i64,
    /// The client's key, when it gave one.
    pub idempotency: Option<Idempotency<'a>>,
}

/// A client's idempotency key with what it stands for.
pub struct Idempotency<'a> {
    /// Whose key; empty without authentication.
    pub token: &'a str,
    /// The key.
    pub key: &'a str,
    /// Hash of the parsed, normalised request.
    pub request_hash: &'a [u8],
    /// The answer to give again.
    pub answer: &'a str,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Job and message are stored.
    Accepted,
    /// The same request was accepted before, with this answer.
    Replayed(String),
    /// The key was used for another request.
    KeyReused,
    /// As many jobs are active as may be.
    Full,
}

/// Stores the job with its message, unless too many are active or the key was used. One round trip.
///
/// # Errors
/// When Postgres refuses; nothing is stored then.
pub async fn accept(pool: &PgPool, acceptance: Acceptance<'_>) -> Result<Admission> {
    let Acceptance { job, accepted_at, message, max_active, idempotency } = &acceptance;
    let key = idempotency.as_ref();
    let (admission, earlier): (String, Option<String>) = sqlx::query_as(
        "-- trigger::accept
        SELECT admission, earlier
        FROM trigger.accept($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(job.0)
    .bind(&message.body)
    .bind(accepted_at)
    .bind(max_active)
    .bind(message.event_id)
    .bind(message.kind)
    .bind(message.exchange)
    .bind(message.routing_key)
    .bind(&message.traceparent)
    .bind(key.map(|key| key.token))
    .bind(key.map(|key| key.key))
    .bind(key.map(|key| key.request_hash))
    .bind(key.map(|key| key.answer))
    .fetch_one(pool)
    .await?;
    match (admission.as_str(), earlier) {
        ("accepted", _) => Ok(Admission::Accepted),
        ("replayed", Some(answer)) => Ok(Admission::Replayed(answer)),
        ("key reused", _) => Ok(Admission::KeyReused),
        ("full", _) => Ok(Admission::Full),
        (other, _) => Err(StorageError::corrupt("trigger.accept", format!("{other:?} is no admission"))),
    }
}

/// Removes idempotency keys that are more than a day old; answers how many.
///
/// # Errors
/// When Postgres refuses.
pub async fn prune_keys(pool: &PgPool) -> Result<u64> {
    let done = sqlx::query(
        "-- trigger::prune_keys
        DELETE FROM trigger.idempotency_keys WHERE created_at <= now() - interval '24 hours'",
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// The `job.requested` body of an accepted job.
///
/// # Errors
/// When Postgres refuses.
pub async fn body(pool: &PgPool, job: JobId) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("-- trigger::body\nSELECT body FROM trigger.jobs WHERE id = $1")
            .bind(job.0)
            .fetch_optional(pool)
            .await?;
    Ok(row.map(|(body,)| body))
}

/// Notes that a job has ended, which makes room for another. Saying it twice changes nothing.
///
/// # Errors
/// When Postgres refuses.
pub async fn mark_ended(pool: &PgPool, job: JobId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "-- trigger::mark_ended\nUPDATE trigger.jobs SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(job.0)
    .bind(at)
    .execute(pool)
    .await?;
    Ok(())
}

/// Active jobs whose terminal event stands in the executor's outbox, with its time: the broker forgot it.
///
/// # Errors
/// When Postgres refuses.
pub async fn unnoticed_ends(pool: &PgPool) -> Result<Vec<(JobId, DateTime<Utc>)>> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "-- trigger::unnoticed_ends
        SELECT j.id, min(o.created_at)
        FROM trigger.jobs j
        JOIN execution.outbox o ON o.job_id = j.id AND o.kind LIKE 'modelday.job.%'
            AND o.kind <> 'modelday.job.started.v1'
        WHERE j.ended_at IS NULL
        GROUP BY j.id
        ORDER BY j.id",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(id, at)| (JobId(id), at)).collect())
}

/// The last completed date of each of `models` in `experiment`; over its trials, the earliest of them.
///
/// # Errors
/// When Postgres refuses.
pub async fn last_completed(
    pool: &PgPool,
    experiment: &str,
    models: &[String],
) -> Result<Vec<(String, NaiveDate)>> {
    let rows = sqlx::query_as(
        "-- trigger::last_completed
        SELECT model, min(latest)
        FROM (
            SELECT model, trial, max(trading_date) AS latest
            FROM execution.completed_days
            WHERE experiment = $1 AND model = ANY($2)
            GROUP BY model, trial
        ) AS trials
        GROUP BY model",
    )
    .bind(experiment)
    .bind(models)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
