//! The sources of prices, which a dry run has to know.

use domain::ingest::call_quota::Window;
use domain::ingest::fetch_plan::Shape;
use sqlx::types::Json;

use crate::connection::Connection;
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
    /// What one call brings.
    pub shape: Shape,
    /// How many calls of the quota a request takes.
    pub calls_per_request: u32,
}

/// Stores which sources are in use, in order of preference; none when there is no key.
pub async fn record_sources(pool: &PgPool, sources: &[SourceRow<'_>]) -> Result<()> {
    let mut transaction = pool.begin().await?;
    record_first(&mut transaction, sources.first()).await?;
    sqlx::query("-- source::record_sources former\nDELETE FROM market.sources")
        .execute(&mut *transaction)
        .await?;
    for (position, source) in (0_i32..).zip(sources) {
        sqlx::query(
            "-- source::record_sources
            INSERT INTO market.sources
                (position, name, quota_key, windows, max_wait_seconds, recent_sessions, shape, calls_per_request)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(position)
        .bind(source.name)
        .bind(source.quota_key)
        .bind(Json(source.windows))
        .bind(seconds(source))
        .bind(sessions(source))
        .bind(match source.shape {
            Shape::BySymbol => "by_symbol",
            Shape::ByDate => "by_date",
            Shape::Either => "either",
        })
        .bind(source.calls_per_request.cast_signed())
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The row by which replicas that start at the same time follow one another: it is locked to the commit.
async fn record_first(connection: &mut Connection, source: Option<&SourceRow<'_>>) -> Result<()> {
    sqlx::query(
        "-- source::record_first
        INSERT INTO market.source (name, quota_key, windows, max_wait_seconds, recent_sessions)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (only_row) DO UPDATE
        SET name = excluded.name, quota_key = excluded.quota_key, windows = excluded.windows,
            max_wait_seconds = excluded.max_wait_seconds, recent_sessions = excluded.recent_sessions, noted_at = now()",
    )
    .bind(source.map(|source| source.name))
    .bind(source.map(|source| source.quota_key))
    .bind(Json(source.map(|source| source.windows).unwrap_or_default()))
    .bind(source.map_or(0, seconds))
    .bind(source.and_then(sessions))
    .execute(connection)
    .await?;
    Ok(())
}

fn seconds(source: &SourceRow<'_>) -> i64 {
    i64::try_from(source.max_wait_seconds).unwrap_or(i64::MAX)
}

fn sessions(source: &SourceRow<'_>) -> Option<i32> {
    source.recent_sessions.map(|sessions| i32::try_from(sessions).unwrap_or(i32::MAX))
}
