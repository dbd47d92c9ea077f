//! What operators pause, and what each pause holds up.

use domain::job::pause::{Pause, PauseKind};
use domain::values::ids::JobId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::pauses::PauseColumns;
use crate::pool::PgPool;

/// A pause with what it holds up at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseEffect {
    /// The pause.
    pub pause: Pause,
    /// Turns, preparations or calls of it that still run.
    pub in_hand: u64,
    /// The jobs of them, at most ten. Calls name none.
    pub jobs_in_hand: Vec<JobId>,
    /// Lanes that wait.
    pub waiting_lanes: u64,
    /// Jobs whose lanes or prices wait.
    pub waiting_jobs: u64,
}

#[derive(FromRow)]
struct EffectColumns {
    #[sqlx(flatten)]
    pause: PauseColumns,
    in_hand: i64,
    jobs_in_hand: Vec<Uuid>,
    waiting_lanes: i64,
    waiting_jobs: i64,
}

impl TryFrom<EffectColumns> for PauseEffect {
    type Error = StorageError;

    fn try_from(row: EffectColumns) -> Result<Self> {
        Ok(Self {
            pause: row.pause.try_into()?,
            in_hand: row.in_hand.cast_unsigned(),
            jobs_in_hand: row.jobs_in_hand.into_iter().map(JobId).collect(),
            waiting_lanes: row.waiting_lanes.cast_unsigned(),
            waiting_jobs: row.waiting_jobs.cast_unsigned(),
        })
    }
}

/// Pauses something for `by`; false when it was paused already, and then only a new `reason` is stored.
pub async fn pause(
    pool: &PgPool,
    kind: PauseKind,
    name: &str,
    reason: Option<&str>,
    by: &str,
) -> Result<bool> {
    let (is_new,): (bool,) = sqlx::query_as(
        "-- pauses::pause
        INSERT INTO trigger.pauses AS pause (kind, name, reason, paused_by)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, name) DO UPDATE SET reason = coalesce(excluded.reason, pause.reason)
        -- Only a row that was there before has been locked.
        RETURNING xmax = 0",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(reason)
    .bind(by)
    .fetch_one(pool)
    .await?;
    Ok(is_new)
}

/// Ends a pause; false when there is none.
pub async fn resume(pool: &PgPool, kind: PauseKind, name: &str) -> Result<bool> {
    let ended = sqlx::query("-- pauses::resume\nDELETE FROM trigger.pauses WHERE kind = $1 AND name = $2")
        .bind(kind.as_str())
        .bind(name)
        .execute(pool)
        .await?;
    Ok(ended.rows_affected() > 0)
}

/// Everything that is paused with what it holds up, the oldest pause first.
pub async fn pause_effects(pool: &PgPool) -> Result<Vec<PauseEffect>> {
    let rows: Vec<EffectColumns> = sqlx::query_as(
        "-- pauses::pause_effects
        SELECT pause.kind, pause.name, pause.reason, pause.paused_by, pause.paused_at,
            count(*) FILTER (WHERE work.is_in_hand) AS in_hand,
            coalesce(
                (array_agg(DISTINCT work.job_id) FILTER (WHERE work.is_in_hand AND work.job_id IS NOT NULL))[:10], '{}'
            ) AS jobs_in_hand,
            count(*) FILTER (WHERE work.is_lane AND NOT work.is_in_hand) AS waiting_lanes,
            count(DISTINCT work.job_id) FILTER (WHERE NOT work.is_in_hand) AS waiting_jobs
        FROM trigger.pauses AS pause
        LEFT JOIN LATERAL (
            SELECT job_id, is_in_hand, true AS is_lane
            FROM execution.open_lanes
            WHERE pause.kind = 'model' AND model = pause.name OR pause.kind = 'queue' AND pause.name = 'executor'
            UNION ALL
            SELECT job_id, is_in_hand, false
            FROM market.open_preparations
            WHERE pause.kind = 'source' AND waits_for_source = pause.name
                OR pause.kind = 'queue' AND pause.name = 'downloader'
            UNION ALL
            SELECT NULL, true, false
            FROM market.calls_in_flight
            WHERE pause.kind = 'source' AND source = pause.name
        ) AS work ON true
        GROUP BY pause.kind, pause.name
        ORDER BY pause.paused_at, pause.kind, pause.name",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Whether a lane of the model has not ended.
pub async fn has_open_lanes(pool: &PgPool, model: &str) -> Result<bool> {
    let (has_lanes,): (bool,) = sqlx::query_as(
        "-- pauses::has_open_lanes
        SELECT EXISTS (SELECT FROM execution.open_lanes WHERE model = $1)",
    )
    .bind(model)
    .fetch_one(pool)
    .await?;
    Ok(has_lanes)
}

/// The sources of prices that are in use, in order of preference.
pub async fn source_names(pool: &PgPool) -> Result<Vec<String>> {
    let names: Vec<(String,)> =
        sqlx::query_as("-- pauses::source_names\nSELECT name FROM market.source_quotas ORDER BY position")
            .fetch_all(pool)
            .await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}
