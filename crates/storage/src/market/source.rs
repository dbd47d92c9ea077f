//! The source of prices, which a dry run has to know.

use domain::ingest::call_quota::Window;
use sqlx::types::Json;

use crate::error::Result;
use crate::pool::PgPool;

/// The source of prices that downloader uses.
#[derive(Debug, Clone, Copy)]
pub struct SourceRow<'a> {
    /// The provider's name.
    pub name: &'a str,
    /// The `provider` of its call quotas.
    pub quota_key: &'a str,
    /// The windows of its call quota.
    pub windows: &'a [Window],
    /// The longest time, in seconds, that a call waits for the quota.
    pub max_wait_seconds: u64,
    /// How many past sessions the key gives access to; `None` without a limit.
    pub recent_sessions: Option<usize>,
}

/// Stores which source is in use; `None` when there is no key.
pub async fn record_source(pool: &PgPool, source: Option<&SourceRow<'_>>) -> Result<()> {
    sqlx::query(
        "-- source::record_source
        INSERT INTO market.source (name, quota_key, windows, max_wait_seconds, recent_sessions)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (only_row) DO UPDATE
        SET name = excluded.name, quota_key = excluded.quota_key, windows = excluded.windows,
            max_wait_seconds = excluded.max_wait_seconds, recent_sessions = excluded.recent_sessions, noted_at = now()",
    )
    .bind(source.map(|source| source.name))
    .bind(source.map(|source| source.quota_key))
    .bind(Json(source.map(|source| source.windows).unwrap_or_default()))
    .bind(source.map_or(0, |source| i64::try_from(source.max_wait_seconds).unwrap_or(i64::MAX)))
    .bind(source.and_then(|source| source.recent_sessions).map(|sessions| i32::try_from(sessions).unwrap_or(i32::MAX)))
    .execute(pool)
    .await?;
    Ok(())
}
