//! Accepted jobs and their end.

use chrono::{DateTime, NaiveDate, Utc};
use domain::values::ids::JobId;
use uuid::Uuid;

use crate::error::Result;
use crate::pool::PgPool;
use crate::sql::without_waiting_if;

/// How many jobs have not ended.
pub async fn count_active_jobs(pool: &PgPool) -> Result<i64> {
    let (count,): (i64,) = sqlx::query_as(
        "-- jobs::count_active_jobs\nSELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL",
    )
    .fetch_one(pool)
    .await?;
    Ok(count)
}

/// Stores that a job has ended, which makes room for another one; returns whether the job is known. A second time changes
/// nothing. An end that Postgres loses in a crash is noticed again in the executor's outbox.
pub async fn mark_ended(pool: &PgPool, job: JobId, at: DateTime<Utc>) -> Result<bool> {
    let (is_known,): (bool,) = sqlx::query_as(concat!(
        "-- jobs::mark_ended
        WITH ended AS (
            UPDATE trigger.jobs SET ended_at = $2 FROM ",
        without_waiting_if!("true"),
        "
            WHERE id = $1 AND ended_at IS NULL
        )
        SELECT EXISTS (SELECT FROM trigger.jobs WHERE id = $1)"
    ))
    .bind(job.0)
    .bind(at)
    .fetch_one(pool)
    .await?;
    Ok(is_known)
}

/// Active jobs whose terminal event stands in the executor's outbox, with its time: the broker has not delivered or has
/// lost it.
pub async fn unnoticed_ends(pool: &PgPool) -> Result<Vec<(JobId, DateTime<Utc>)>> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "-- jobs::unnoticed_ends
        SELECT j.id, min(o.created_at)
        FROM trigger.jobs j
        JOIN execution.outbox o ON o.job_id = j.id AND o.kind LIKE 'modelday.job.%'
            AND o.kind <> 'modelday.job.started.v1'
        WHERE j.ended_at IS NULL
        GROUP BY j.id
        ORDER BY j.id",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(id, at)| (JobId(id), at)).collect())
}

/// The last completed date of each of `models` in `experiment`; of several trials, the earliest one.
pub async fn last_completed(
    pool: &PgPool,
    experiment: &str,
    models: &[String],
) -> Result<Vec<(String, NaiveDate)>> {
    let rows = sqlx::query_as(
        "-- jobs::last_completed
        SELECT model, min(latest)
        FROM (
            SELECT model, trial, max(trading_date) AS latest
            FROM execution.completed_days
            WHERE experiment = $1 AND model = ANY($2)
            GROUP BY model, trial
        ) AS trials
        GROUP BY model",
    )
    .bind(experiment)
    .bind(models)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
