//! The experiments that have a completed day.

use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// An experiment.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ExperimentRow {
    /// Its name.
    pub experiment: String,
    /// Its models with a completed day.
    pub models: i64,
    /// Its portfolios with a completed day.
    pub portfolios: i64,
}

/// Up to `limit` experiments after `after`, by name. Each portfolio with a completed day has a chain.
pub async fn experiments(pool: &PgPool, after: Option<&str>, limit: i64) -> Result<Vec<ExperimentRow>> {
    let rows = sqlx::query_as(
        "-- experiments::experiments
        SELECT experiment, count(DISTINCT model) AS models, count(*) AS portfolios
        FROM status.chains
        WHERE $1::text IS NULL OR experiment > $1
        GROUP BY experiment
        ORDER BY experiment
        LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
