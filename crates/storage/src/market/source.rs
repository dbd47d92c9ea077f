//! Where prices come from, for those who ask what a job would need.

use domain::ingest::call_quota::Window;
use sqlx::PgPool;
use sqlx::types::Json;

use crate::error::Result;

/// A source of prices.
#[derive(Debug, Clone, Copy)]
pub struct SourceNote<'a> {
    /// The provider's name.
    pub name: &'a str,
    /// The provider of its budget's rows.
    pub quota_key: &'a str,
    /// The windows of its budget.
    pub windows: &'a [Window],
    /// Seconds that a call waits for the budget at most.
    pub max_wait_seconds: u64,
    /// How many sessions the key's plan reaches back; `None` without a limit.
    pub recent_sessions: Option<usize>,
}

/// Notes the source in use; `None` when there is no key.
///
/// # Errors
/// When Postgres refuses.
pub async fn note_source(pool: &PgPool, source: Option<&SourceNote<'_>>) -> Result<()> {
    sqlx::query(
        "-- source::note_source
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
