//! What a retry needs to know of a job; read through views of schema `execution`.

use chrono::NaiveDate;
use domain::job::JobState;
use domain::job::retry::FailedModelDay;
use domain::values::ids::JobId;

use crate::columns::job_state;
use crate::error::Result;
use crate::pool::PgPool;

/// A job that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedJob {
    /// Its `job.requested` body.
    pub body: String,
    /// How it ended; `None` while it is active.
    pub ended: Option<JobState>,
}

/// A job that was accepted, and how it ended; `None` when there is no such job.
pub async fn accepted(pool: &PgPool, job: JobId) -> Result<Option<AcceptedJob>> {
    let row: Option<(String, Option<String>)> = sqlx::query_as(
        "-- failed_days::accepted
        SELECT job.body, ended.state
        FROM trigger.jobs AS job
        LEFT JOIN execution.ended_jobs AS ended ON ended.job_id = job.id
        WHERE job.id = $1",
    )
    .bind(job.0)
    .fetch_optional(pool)
    .await?;
    let Some((body, ended)) = row else { return Ok(None) };
    let ended = ended.map(|name| job_state("execution.ended_jobs", &name)).transpose()?;
    Ok(Some(AcceptedJob { body, ended }))
}

/// The model-days of a job that failed, by model, trial and date.
pub async fn failed_days(pool: &PgPool, job: JobId) -> Result<Vec<FailedModelDay>> {
    let rows: Vec<(String, i32, NaiveDate)> = sqlx::query_as(
        "-- failed_days::failed_days
        SELECT model, trial, trading_date
        FROM execution.failed_days
        WHERE job_id = $1
        ORDER BY model, trial, trading_date",
    )
    .bind(job.0)
    .fetch_all(pool)
    .await?;
    let pair = |(model, trial, date): (String, i32, NaiveDate)| FailedModelDay {
        model,
        trial: trial.cast_unsigned(),
        date,
    };
    Ok(rows.into_iter().map(pair).collect())
}
