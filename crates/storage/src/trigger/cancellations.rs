//! Jobs that their users cancelled.

use domain::job::JobState;
use domain::values::ids::JobId;

use crate::columns::job_state;
use crate::error::Result;
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;

/// Whether a job was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// The job is cancelled, and will not end otherwise.
    Cancelled {
        /// Whether it had not been cancelled before.
        new: bool,
    },
    /// The job has ended by itself.
    Ended(JobState),
    /// There is no such job.
    Unknown,
}

/// Cancels a job for `by` and writes the messages that carry the cancellation out, unless the job has ended. A second time
/// changes nothing.
pub async fn cancel(pool: &PgPool, job: JobId, by: &str, messages: &[NewMessage]) -> Result<Cancellation> {
    let mut transaction = pool.begin().await?;
    // The lock of `execution.is_cancelled`: a transaction that plans or ends the job has committed, or waits for this one.
    sqlx::query(
        "-- cancellations::cancel lock\nSELECT pg_advisory_xact_lock(hashtext('end of a job'), hashtext($1::text))",
    )
    .bind(job.0)
    .execute(&mut *transaction)
    .await?;
    let known: Option<(Option<String>,)> = sqlx::query_as(
        "-- cancellations::cancel look
        SELECT ended.state
        FROM trigger.jobs AS job
        LEFT JOIN execution.ended_jobs AS ended ON ended.job_id = job.id
        WHERE job.id = $1",
    )
    .bind(job.0)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((ended,)) = known else { return Ok(Cancellation::Unknown) };
    if let Some(name) = ended {
        let state = job_state("execution.ended_jobs", &name)?;
        return Ok(match state {
            JobState::Cancelled => Cancellation::Cancelled { new: false },
            ended => Cancellation::Ended(ended),
        });
    }
    let stored = sqlx::query(
        "-- cancellations::cancel
        INSERT INTO trigger.cancellations (job_id, requested_by) VALUES ($1, $2) ON CONFLICT (job_id) DO NOTHING",
    )
    .bind(job.0)
    .bind(by)
    .execute(&mut *transaction)
    .await?;
    let new = stored.rows_affected() > 0;
    if new {
        outbox::write(&mut transaction, messages).await?;
    }
    transaction.commit().await?;
    Ok(Cancellation::Cancelled { new })
}

/// Whether a job was cancelled.
pub async fn is_cancelled(pool: &PgPool, job: JobId) -> Result<bool> {
    let (is_cancelled,) = sqlx::query_as(
        "-- cancellations::is_cancelled
        SELECT EXISTS (SELECT FROM trigger.cancellations WHERE job_id = $1)",
    )
    .bind(job.0)
    .fetch_one(pool)
    .await?;
    Ok(is_cancelled)
}
