//! How many lanes there are, and how long turns have been waiting: for the metrics of executor.

use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// The open lanes of one kind in one state.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct LaneCount {
    /// Routing key of their messages, which says their kind.
    pub routing_key: String,
    /// `running`: a worker has the lane; `ready`: its turn waits for a worker; `resting`: its turn is put off;
    /// `paused`: its model is paused; `queued`: it waits until fewer lanes call its endpoint; `parked`: its turn waits to be
    /// fed to the queue, where other turns of its job stand; `waiting`: another job's lane holds its portfolio.
    pub state: String,
    /// How many.
    pub lanes: i64,
    /// Of ready ones, for how long the oldest turn has waited since its message was last written; 0 for others.
    pub age_seconds: f64,
}

/// The states of a [`LaneCount`].
pub const LANE_STATES: [&str; 7] = ["running", "ready", "resting", "paused", "queued", "parked", "waiting"];

/// How many open lanes there are of each kind, in each state that one is in.
pub async fn lane_counts(pool: &PgPool) -> Result<Vec<LaneCount>> {
    let counts = sqlx::query_as(
        "-- lane_counts::lane_counts
        SELECT routing_key, place AS state, count(*) AS lanes,
            coalesce(max(waited) FILTER (WHERE place = 'ready'), 0)::float8 AS age_seconds
        FROM (
            SELECT routing_key,
                CASE
                    WHEN state IN ('waiting', 'parked') THEN state::text
                    WHEN lease_until > now() THEN 'running'
                    WHEN is_paused THEN 'paused'
                    WHEN waits_for_endpoint THEN 'queued'
                    WHEN not_before > now() THEN 'resting'
                    ELSE 'ready'
                END AS place,
                greatest(extract(epoch FROM now() - greatest(sent_at, lease_until, not_before)), 0) AS waited
            FROM execution.lanes
            WHERE state <> 'finished'
        ) AS open
        GROUP BY routing_key, place",
    )
    .fetch_all(pool)
    .await?;
    Ok(counts)
}

/// How many planned jobs have not ended.
pub async fn count_running_jobs(pool: &PgPool) -> Result<i64> {
    let (count,): (i64,) = sqlx::query_as(
        "-- lane_counts::count_running_jobs\nSELECT count(*) FROM execution.jobs WHERE state = 'running'",
    )
    .fetch_one(pool)
    .await?;
    Ok(count)
}
