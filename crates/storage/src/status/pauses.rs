//! Which pauses hold jobs up.

use std::collections::BTreeMap;

use domain::job::pause::Pause;
use domain::values::ids::JobId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::Result;
use crate::pauses::PauseColumns;
use crate::pool::PgPool;

#[derive(FromRow)]
struct HeldJob {
    job_id: Uuid,
    #[sqlx(flatten)]
    pause: PauseColumns,
}

/// The pauses that hold up each of `jobs`, the oldest first; a job that none holds up is left out.
pub async fn pauses_of_jobs(pool: &PgPool, jobs: &[JobId]) -> Result<BTreeMap<JobId, Vec<Pause>>> {
    let rows: Vec<HeldJob> = sqlx::query_as(
        "-- pauses::of_jobs
        SELECT job.id AS job_id, pause.kind, pause.name, pause.reason, pause.paused_by, pause.paused_at
        FROM trigger.pauses AS pause
        CROSS JOIN UNNEST($1::uuid[]) AS job (id)
        WHERE CASE pause.kind
            WHEN 'model' THEN EXISTS (
                SELECT FROM execution.open_lanes WHERE job_id = job.id AND model = pause.name
            )
            WHEN 'source' THEN EXISTS (
                SELECT FROM market.open_preparations WHERE job_id = job.id AND waits_for_source = pause.name
            )
            ELSE CASE pause.name
                WHEN 'executor' THEN EXISTS (SELECT FROM execution.open_lanes WHERE job_id = job.id)
                WHEN 'downloader' THEN EXISTS (SELECT FROM market.open_preparations WHERE job_id = job.id)
            END
        END
        ORDER BY pause.paused_at, pause.kind, pause.name",
    )
    .bind(jobs.iter().map(|job| job.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let mut pauses: BTreeMap<JobId, Vec<Pause>> = BTreeMap::new();
    for HeldJob { job_id, pause } in rows {
        pauses.entry(JobId(job_id)).or_default().push(pause.try_into()?);
    }
    Ok(pauses)
}
