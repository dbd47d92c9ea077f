//! Accepting a job: once for each idempotency key, and within the limit of active jobs.

use chrono::{DateTime, Utc};
use domain::values::ids::JobId;

use super::idempotency::{IdempotencyKey, LIFETIME};
use crate::error::{Result, StorageError};
use crate::outbox::NewMessage;
use crate::pool::PgPool;

/// A job about to be accepted.
pub struct Acceptance<'a> {
    /// Its id.
    pub job: JobId,
    /// When it is accepted.
    pub accepted_at: DateTime<Utc>,
    /// Its `job.requested` message; the row keeps the same body.
    pub message: NewMessage,
    /// How many jobs may be active at once, this one included.
    pub max_active: i64,
    /// Who requests it.
    pub requested_by: &'a str,
    /// How many jobs of who requests it may be active at once, this one included; `None` for any number.
    pub max_active_of_caller: Option<i64>,
    /// The state of the catalogue that the job was made from; `None` when it does not matter.
    pub catalogue: Option<i64>,
    /// The client's key, if it sent one.
    pub idempotency: Option<IdempotencyKey<'a>>,
}

/// Whether a job was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Job and message are stored.
    Accepted,
    /// The same request was accepted before, with this response.
    Replayed(String),
    /// The key was used for another request.
    KeyReused,
    /// The catalogue has changed since the job was made from it.
    CatalogueChanged,
    /// As many jobs are active as may be.
    Full,
    /// As many jobs of this caller are active as may be.
    CallerFull,
}

/// Stores the job with its message, unless too many are active or the key was used. One round trip.
pub async fn accept(pool: &PgPool, acceptance: Acceptance<'_>) -> Result<Admission> {
    let Acceptance {
        job,
        accepted_at,
        message,
        max_active,
        requested_by,
        max_active_of_caller,
        catalogue,
        idempotency,
    } = &acceptance;
    let key = idempotency.as_ref();
    let (admission, earlier): (String, Option<String>) = sqlx::query_as(
        "-- acceptance::accept
        SELECT admission, earlier
        FROM trigger.accept($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text::interval,
            $15, $16, $17)",
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
    .bind(key.map(|key| key.response))
    .bind(LIFETIME)
    .bind(requested_by)
    .bind(max_active_of_caller)
    .bind(catalogue)
    .fetch_one(pool)
    .await?;
    match (admission.as_str(), earlier) {
        ("accepted", _) => Ok(Admission::Accepted),
        ("replayed", Some(response)) => Ok(Admission::Replayed(response)),
        ("key reused", _) => Ok(Admission::KeyReused),
        ("catalogue changed", _) => Ok(Admission::CatalogueChanged),
        ("full", _) => Ok(Admission::Full),
        ("caller full", _) => Ok(Admission::CallerFull),
        (other, _) => Err(StorageError::corrupt("trigger.accept", format_args!("{other:?} is no admission"))),
    }
}
