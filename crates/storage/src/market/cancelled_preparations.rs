//! Preparations of jobs that were cancelled.

use domain::values::ids::JobId;
use uuid::Uuid;

use crate::error::Result;
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// The most preparations that are ended in one transaction.
const PAGE: i64 = 100;

/// A preparation whose job was cancelled. A worker may have it in hand.
#[derive(Debug, Clone)]
pub struct CancelledPreparation {
    /// The job.
    pub job: JobId,
    /// Its `job.requested` body.
    pub body: String,
    /// W3C trace context of the job.
    pub traceparent: Option<String>,
}

/// Preparations to be ended: one transaction.
pub struct CancelledPreparations {
    transaction: Transaction,
    /// The preparations.
    pub preparations: Vec<CancelledPreparation>,
}

/// Locks preparations of cancelled jobs, except those of `left_alone`; `None` when there is none.
pub async fn take_cancelled(pool: &PgPool, left_alone: &[JobId]) -> Result<Option<CancelledPreparations>> {
    let mut transaction = pool.begin().await?;
    let rows: Vec<(Uuid, String, Option<String>)> = sqlx::query_as(
        "-- cancelled_preparations::take_cancelled
        SELECT preparation.job_id, preparation.body, preparation.traceparent
        FROM market.preparations AS preparation
        JOIN trigger.cancellations AS cancellation ON cancellation.job_id = preparation.job_id
        WHERE preparation.state = 'due' AND preparation.job_id <> ALL($1)
        ORDER BY preparation.job_id
        LIMIT $2
        FOR UPDATE OF preparation SKIP LOCKED",
    )
    .bind(left_alone.iter().map(|job| job.0).collect::<Vec<_>>())
    .bind(PAGE)
    .fetch_all(&mut *transaction)
    .await?;
    if rows.is_empty() {
        transaction.rollback().await?;
        return Ok(None);
    }
    let preparations = rows
        .into_iter()
        .map(|(job, body, traceparent)| CancelledPreparation { job: JobId(job), body, traceparent })
        .collect();
    Ok(Some(CancelledPreparations { transaction, preparations }))
}

impl CancelledPreparations {
    /// Ends the preparations of `jobs` with their messages; the writes of a worker that has one in hand are then refused.
    pub async fn finish(mut self, jobs: &[JobId], messages: &[NewMessage]) -> Result<()> {
        sqlx::query(
            "-- cancelled_preparations::finish
            UPDATE market.preparations
            SET state = 'done', done_at = now(), epoch = epoch + 1, lease_until = NULL, not_before = NULL
            WHERE job_id = ANY($1)",
        )
        .bind(jobs.iter().map(|job| job.0).collect::<Vec<_>>())
        .execute(&mut *self.transaction)
        .await?;
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}
