//! The end of a cancelled job: all its open lanes end at once.

use chrono::NaiveDate;
use domain::job::{JobOutcome, Tally};
use domain::values::ids::{JobId, PortfolioId};
use sqlx::FromRow;
use uuid::Uuid;

use super::jobs::{self, SkippedRow};
use super::lane_end::{NextLane, pass_on};
use crate::connection::Connection;
use crate::error::Result;
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// An open lane that the cancellation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelledLane {
    /// The portfolio that it wrote or waited for.
    pub portfolio: PortfolioId,
    /// The portfolio's model.
    pub model: String,
    /// The portfolio's trial.
    pub trial: u32,
    /// The dates that had not ended, ascending.
    pub rest: Vec<NaiveDate>,
}

/// A job that is being cancelled: one transaction.
pub struct JobCancellation {
    transaction: Transaction,
    job: JobId,
    /// The lanes that were open.
    pub lanes: Vec<CancelledLane>,
    /// Lanes of other jobs that waited for these portfolios and hold them now, those that are parked left out.
    pub next: Vec<NextLane>,
}

#[derive(FromRow)]
struct CancelledLaneRow {
    portfolio_id: Uuid,
    model: String,
    trial: i32,
    rest: Vec<NaiveDate>,
    held: bool,
}

impl JobCancellation {
    /// Ends the open lanes of a planned job, so that no worker can write in their name, and passes their portfolios on;
    /// `None` when the job has ended or is not planned to its end: the planner sees the cancellation too.
    pub async fn begin(pool: &PgPool, job: JobId) -> Result<Option<Self>> {
        let mut transaction = pool.begin().await?;
        // The lock order is the same everywhere: job, portfolios by id, lane.
        let running = sqlx::query(
            "-- job_cancellation::begin lock job
            SELECT FROM execution.jobs
            WHERE id = $1 AND state = 'running' AND planned_portfolios IS NULL
            FOR UPDATE",
        )
        .bind(job.0)
        .fetch_optional(&mut *transaction)
        .await?;
        if running.is_none() {
            transaction.rollback().await?;
            return Ok(None);
        }
        sqlx::query(
            "-- job_cancellation::begin lock portfolios
            SELECT FROM execution.portfolios
            WHERE id IN (SELECT portfolio_id FROM execution.lanes WHERE job_id = $1 AND state <> 'finished')
            ORDER BY id
            FOR UPDATE",
        )
        .bind(job.0)
        .execute(&mut *transaction)
        .await?;
        let mut rows: Vec<CancelledLaneRow> = sqlx::query_as(
            "-- job_cancellation::begin
            WITH open AS MATERIALIZED (
                SELECT id, state, done FROM execution.lanes
                WHERE job_id = $1 AND state <> 'finished'
                ORDER BY id
                FOR UPDATE
            )
            UPDATE execution.lanes AS lane
            SET state = 'finished', epoch = epoch + 1, lease_until = NULL, not_before = NULL,
                waits_for_endpoint = false, done = days
            FROM open
            WHERE lane.id = open.id
            RETURNING portfolio_id, model, trial, dates[open.done + 1:] AS rest, open.state <> 'waiting' AS held",
        )
        .bind(job.0)
        .fetch_all(&mut *transaction)
        .await?;
        rows.sort_by_key(|row| row.portfolio_id);
        let held = rows.iter().filter(|row| row.held).map(|row| PortfolioId(row.portfolio_id));
        let next = pass_on(&mut transaction, &held.collect::<Vec<_>>()).await?;
        let lanes = rows
            .into_iter()
            .map(|row| CancelledLane {
                portfolio: PortfolioId(row.portfolio_id),
                model: row.model,
                trial: row.trial.cast_unsigned(),
                rest: row.rest,
            })
            .collect();
        Ok(Some(Self { transaction, job, lanes, next }))
    }

    /// Stores the days that are not run, and ends the open attempts.
    pub async fn store(&mut self, skipped: &[SkippedRow]) -> Result<()> {
        jobs::insert_skipped(&mut self.transaction, self.job, skipped).await?;
        sqlx::query(
            "-- job_cancellation::store attempts
            UPDATE execution.attempts SET ended = 'cancelled', ended_at = now() WHERE job_id = $1 AND ended IS NULL",
        )
        .bind(self.job.0)
        .execute(&mut *self.transaction)
        .await?;
        sqlx::query("-- job_cancellation::store\nUPDATE execution.jobs SET open_lanes = 0 WHERE id = $1")
            .bind(self.job.0)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// How many of the job's model-days ended in which way.
    pub async fn tally(&mut self) -> Result<Tally> {
        jobs::tally(&mut self.transaction, self.job).await
    }

    /// The transaction, for reading what the job's end depends on.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }

    /// Ends the job, writes the messages and commits all of it.
    pub async fn commit(mut self, messages: &[NewMessage]) -> Result<()> {
        jobs::end_job(&mut self.transaction, self.job, JobOutcome::Cancelled).await?;
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

/// Jobs that are cancelled and still run, because the command has not arrived yet or is lost.
pub async fn pending_cancellations(pool: &PgPool) -> Result<Vec<JobId>> {
    let rows: Vec<(Uuid,)> = sqlx::query_as(
        "-- job_cancellation::pending_cancellations
        SELECT job.id
        FROM execution.jobs AS job
        JOIN trigger.cancellations AS cancellation ON cancellation.job_id = job.id
        WHERE job.state = 'running'
        ORDER BY job.id",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(id,)| JobId(id)).collect())
}
