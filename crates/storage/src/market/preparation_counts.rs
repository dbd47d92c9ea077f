//! How many preparations there are, for the metrics of downloader.

use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// The preparations in one state.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct PreparationCount {
    /// `running`: a worker has it; `ready`: it waits for a worker; `resting`: it is put off, such as until the next
    /// window of the call quota or until its source is resumed.
    pub state: String,
    /// How many.
    pub preparations: i64,
    /// Age of the oldest one.
    pub age_seconds: f64,
}

/// The states of a [`PreparationCount`].
pub const PREPARATION_STATES: [&str; 3] = ["running", "ready", "resting"];

/// How many preparations have not ended, in each state that one is in.
pub async fn preparation_counts(pool: &PgPool) -> Result<Vec<PreparationCount>> {
    let counts = sqlx::query_as(
        "-- preparation_counts::preparation_counts
        SELECT place AS state, count(*) AS preparations, max(age)::float8 AS age_seconds
        FROM (
            SELECT
                CASE
                    WHEN lease_until > now() THEN 'running'
                    WHEN not_before > now() OR waits_for_source IS NOT NULL THEN 'resting'
                    ELSE 'ready'
                END AS place,
                greatest(extract(epoch FROM now() - created_at), 0) AS age
            FROM market.preparations
            WHERE state = 'due'
        ) AS due
        GROUP BY place",
    )
    .fetch_all(pool)
    .await?;
    Ok(counts)
}
