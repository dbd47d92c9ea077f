//! The end of a lane: its portfolio goes to the lane that has waited longest for it.

use domain::job::{EndCause, JobOutcome, Tally};
use domain::values::ids::{JobId, LaneId, PortfolioId};
use sqlx::FromRow;
use uuid::Uuid;

use super::jobs::{self, SkippedRow};
use super::lanes::Lane;
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// A lane whose turn is to be sent: it waited for its portfolio or was parked, and is ready now.
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
    /// W3C trace context of its turns.
    pub traceparent: Option<String>,
}

#[derive(FromRow)]
pub(super) struct NextLaneRow {
    id: Uuid,
    job_id: Uuid,
    turn: i32,
    routing_key: String,
    traceparent: Option<String>,
}

impl From<NextLaneRow> for NextLane {
    fn from(row: NextLaneRow) -> Self {
        Self {
            id: LaneId(row.id),
            job: JobId(row.job_id),
            turn: row.turn.cast_unsigned(),
            routing_key: row.routing_key,
            traceparent: row.traceparent,
        }
    }
}

/// Gives locked portfolios, whose holders have finished, to the oldest waiter of each, if there is one. Answers those whose
/// turn is to be sent; those of paced jobs are parked, and fed later.
pub(super) async fn pass_on(
    connection: &mut Connection,
    portfolios: &[PortfolioId],
) -> Result<Vec<NextLane>> {
    let rows: Vec<NextLaneRow> = sqlx::query_as(
        "-- lane_end::pass_on
        WITH next AS (
            SELECT DISTINCT ON (lane.portfolio_id) lane.id, lane.portfolio_id, job.is_paced
            FROM execution.lanes AS lane
            JOIN execution.jobs AS job ON job.id = lane.job_id
            WHERE lane.portfolio_id = ANY($1) AND lane.state = 'waiting'
            ORDER BY lane.portfolio_id, lane.ordinal
        ), held AS (
            UPDATE execution.portfolios
            SET holder = (SELECT next.id FROM next WHERE next.portfolio_id = portfolios.id)
            WHERE id = ANY($1)
        ), passed AS (
            UPDATE execution.lanes AS lane
            SET state = CASE WHEN next.is_paced THEN 'parked' ELSE 'ready' END, sent_at = now(), resends = 0
            FROM next
            WHERE lane.id = next.id
            RETURNING lane.id, lane.job_id, lane.turn, lane.routing_key, lane.traceparent, next.is_paced
        )
        SELECT id, job_id, turn, routing_key, traceparent FROM passed WHERE NOT is_paced ORDER BY id",
    )
    .bind(portfolios.iter().map(|portfolio| portfolio.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A lane at its end: one transaction that passes the portfolio on and may end the job.
pub struct LaneEnd {
    transaction: Transaction,
    lane: Lane,
    /// The lane that waited longest for the portfolio and holds it now, unless it is parked.
    pub next: Option<NextLane>,
    /// How many lanes of the job are still open.
    pub open_lanes: i32,
}

impl LaneEnd {
    /// Finishes the lane and passes its portfolio on.
    ///
    /// # Errors
    /// [`StorageError::Fenced`] when another worker has taken the lane.
    pub async fn begin(pool: &PgPool, lane: &Lane, skipped: Option<&SkippedRow>) -> Result<Self> {
        let mut transaction = pool.begin().await?;
        // The lock order is the same everywhere: job, portfolio, lane. Rows are locked in the order that FOR UPDATE names.
        sqlx::query(
            "-- lane_end::begin lock
            SELECT
            FROM execution.jobs AS job
            CROSS JOIN execution.portfolios AS portfolio
            WHERE job.id = $1 AND portfolio.id = $2
            FOR UPDATE OF job, portfolio",
        )
        .bind(lane.job.0)
        .bind(lane.portfolio.0)
        .execute(&mut *transaction)
        .await?;
        let finished: Option<(i32,)> = sqlx::query_as(
            "-- lane_end::begin
            WITH finished AS (
                UPDATE execution.lanes
                SET state = 'finished', lease_until = NULL, done = days
                WHERE id = $1 AND epoch = $2 AND state = 'ready'
                RETURNING job_id
            )
            UPDATE execution.jobs AS job
            SET open_lanes = open_lanes - 1
            FROM finished
            WHERE job.id = finished.job_id
            RETURNING open_lanes",
        )
        .bind(lane.id.0)
        .bind(lane.epoch)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((open_lanes,)) = finished else {
            transaction.rollback().await?;
            return Err(StorageError::Fenced);
        };
        if let Some(row) = skipped {
            jobs::insert_skipped(&mut transaction, lane.job, std::slice::from_ref(row)).await?;
        }
        let next = pass_on(&mut transaction, &[lane.portfolio]).await?.pop();
        Ok(Self { transaction, lane: lane.clone(), next, open_lanes })
    }

    /// How many of the job's model-days have ended in which way.
    pub async fn tally(&mut self) -> Result<Tally> {
        jobs::tally(&mut self.transaction, self.lane.job).await
    }

    /// Who ends the job, which has no open lane any more. Nobody can cancel it from here on.
    pub async fn end_cause(&mut self) -> Result<EndCause> {
        jobs::end_cause(&mut self.transaction, self.lane.job).await
    }

    /// The transaction, for reading what the job's end depends on.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }

    /// Ends the job.
    pub async fn end_job(&mut self, outcome: JobOutcome) -> Result<()> {
        jobs::end_job(&mut self.transaction, self.lane.job, outcome).await
    }

    /// Writes the messages and commits all of it.
    pub async fn commit(mut self, messages: &[NewMessage]) -> Result<()> {
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}
