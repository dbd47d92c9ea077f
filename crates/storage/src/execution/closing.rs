//! The end of a lane: its portfolio goes to whoever waits for it.

use domain::job::{EndCause, JobOutcome, Tally};
use domain::values::ids::{JobId, LaneId, PortfolioId};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::jobs::{self, SkippedRow};
use super::lanes::Lane;
use crate::error::{Result, StorageError};
use crate::outbox::{self, NewMessage};

/// A lane that has waited and now holds its portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextLane {
    /// Its id.
    pub id: LaneId,
    /// Its job.
    pub job: JobId,
    /// Its current turn.
    pub turn: u32,
    /// Routing key of its messages.
    pub routing_key: String,
}

/// Gives a locked portfolio, whose holder has finished, to the oldest waiter, if there is one.
pub(super) async fn hand_on(
    connection: &mut PgConnection,
    portfolio: PortfolioId,
) -> Result<Option<NextLane>> {
    let next: Option<(Uuid, i32, String, Uuid)> = sqlx::query_as(
        "-- closing::hand_on
        UPDATE execution.lanes
        SET state = 'ready', sent_at = now(), resends = 0
        WHERE id = (
            SELECT id FROM execution.lanes
            WHERE portfolio_id = $1 AND state = 'waiting'
            ORDER BY ordinal LIMIT 1
        )
        RETURNING id, turn, routing_key, job_id",
    )
    .bind(portfolio.0)
    .fetch_optional(&mut *connection)
    .await?;
    sqlx::query("-- closing::hand_on hold\nUPDATE execution.portfolios SET holder = $2 WHERE id = $1")
        .bind(portfolio.0)
        .bind(next.as_ref().map(|(id, ..)| *id))
        .execute(connection)
        .await?;
    Ok(next.map(|(id, turn, routing_key, job)| NextLane {
        id: LaneId(id),
        job: JobId(job),
        turn: turn.cast_unsigned(),
        routing_key,
    }))
}

/// A lane at its end: one transaction that hands the portfolio on and may end the job.
pub struct Closing {
    transaction: Transaction<'static, Postgres>,
    lane: Lane,
    /// The oldest waiter, which now holds the portfolio.
    pub next: Option<NextLane>,
    /// Lanes of the job that are still open.
    pub open_lanes: i32,
}

impl Closing {
    /// Finishes the lane and hands its portfolio on.
    ///
    /// # Errors
    /// [`StorageError::Fenced`] when somebody else has taken the lane.
    pub async fn begin(pool: &PgPool, lane: &Lane, skipped: Option<&SkippedRow>) -> Result<Self> {
        let mut transaction = pool.begin().await?;
        // Lock order everywhere: job, portfolio, lane.
        sqlx::query("-- closing::begin lock job\nSELECT FROM execution.jobs WHERE id = $1 FOR UPDATE")
            .bind(lane.job.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "-- closing::begin lock portfolio\nSELECT FROM execution.portfolios WHERE id = $1 FOR UPDATE",
        )
        .bind(lane.portfolio.0)
        .execute(&mut *transaction)
        .await?;
        let finished = sqlx::query(
            "-- closing::begin
            UPDATE execution.lanes
            SET state = 'finished', lease_until = NULL, done = days
            WHERE id = $1 AND epoch = $2 AND state = 'ready'",
        )
        .bind(lane.id.0)
        .bind(lane.epoch)
        .execute(&mut *transaction)
        .await?;
        if finished.rows_affected() == 0 {
            transaction.rollback().await?;
            return Err(StorageError::Fenced);
        }
        if let Some(row) = skipped {
            jobs::insert_skipped(&mut transaction, lane.job, row).await?;
        }
        let next = hand_on(&mut transaction, lane.portfolio).await?;
        let (open_lanes,): (i32,) = sqlx::query_as(
            "-- closing::begin count
            UPDATE execution.jobs SET open_lanes = open_lanes - 1 WHERE id = $1 RETURNING open_lanes",
        )
        .bind(lane.job.0)
        .fetch_one(&mut *transaction)
        .await?;
        Ok(Self { transaction, lane: lane.clone(), next, open_lanes })
    }

    /// How the job's model-days ended so far.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn tally(&mut self) -> Result<Tally> {
        jobs::tally(&mut self.transaction, self.lane.job).await
    }

    /// Who ends the job, which has no open lane any more. Nobody can cancel it from here on.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn end_cause(&mut self) -> Result<EndCause> {
        jobs::end_cause(&mut self.transaction, self.lane.job).await
    }

    /// The transaction, for reading what the job's end depends on.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Ends the job.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn end_job(&mut self, outcome: JobOutcome) -> Result<()> {
        jobs::end_job(&mut self.transaction, self.lane.job, outcome).await
    }

    /// Writes the messages and commits all of it.
    ///
    /// # Errors
    /// When Postgres refuses; the lane is then as it was.
    pub async fn commit(mut self, messages: &[NewMessage]) -> Result<()> {
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}
