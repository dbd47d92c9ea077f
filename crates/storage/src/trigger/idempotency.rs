//! Idempotency keys: a request that is repeated with its key gets the first response again.
//!
//! Whether two requests are the same is decided in `trigger.find_idempotency_key`, under a lock.

use crate::error::Result;
use crate::pool::PgPool;

/// How long a key is kept.
pub(super) const LIFETIME: &str = "24 hours";

/// A client's idempotency key with the request and the response that it stands for.
pub struct IdempotencyKey<'a> {
    /// Whose key it is; empty without authentication.
    pub token: &'a str,
    /// The key.
    pub key: &'a str,
    /// Hash of the parsed, normalised request.
    pub request_hash: &'a [u8],
    /// The response that a repeated request gets.
    pub response: &'a str,
}

/// Removes keys that are older than a day; returns how many.
pub async fn prune_keys(pool: &PgPool) -> Result<u64> {
    let done = sqlx::query(
        "-- idempotency::prune_keys
        DELETE FROM trigger.idempotency_keys WHERE created_at <= now() - $1::text::interval",
    )
    .bind(LIFETIME)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
