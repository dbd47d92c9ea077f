//! Lanes whose model is paused: they wait until it is resumed.

use super::lanes::Lane;
use crate::error::Result;
use crate::pool::PgPool;

/// After so long a lane is tried again, whatever the reason for which nothing has resumed it.
const MAX_WAIT: &str = "1 h";

/// Puts a taken lane down until its model is resumed, as if it had not been taken. A lane in other hands stays as it is.
pub async fn pause_lane(pool: &PgPool, lane: &Lane) -> Result<()> {
    sqlx::query(
        "-- lane_pauses::pause_lane
        UPDATE execution.lanes
        SET is_paused = true, not_before = now() + $3::interval, lease_until = NULL,
            crashes = greatest(crashes - 1, 0)
        WHERE id = $1 AND epoch = $2 AND state = 'ready'",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(MAX_WAIT)
    .execute(pool)
    .await?;
    Ok(())
}

/// Ends the wait of lanes whose model is not paused any more, and returns how many: they wait to be fed to their queue, as
/// they may be many.
pub async fn resume_lanes(pool: &PgPool) -> Result<u64> {
    let resumed = sqlx::query(
        "-- lane_pauses::resume_lanes
        UPDATE execution.lanes AS lane
        SET is_paused = false, state = 'parked', not_before = NULL
        WHERE is_paused AND state = 'ready' AND (lease_until IS NULL OR lease_until < now())
            AND NOT EXISTS (SELECT FROM trigger.pauses WHERE kind = 'model' AND name = lane.model)",
    )
    .execute(pool)
    .await?;
    Ok(resumed.rows_affected())
}
