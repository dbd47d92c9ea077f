//! Lanes: who may write a portfolio, and whose turn it is.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{JobId, LaneId, PortfolioId};
use domain::job::{JobOutcome, Tally};
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::jobs::{self, SkippedRow};
use crate::error::{Result, StorageError};
use crate::outbox::{self, Outgoing};

/// A lane about to be stored.
#[derive(Debug, Clone)]
pub struct NewLane {
    /// Its id.
    pub id: LaneId,
    /// The portfolio it will write.
    pub portfolio: PortfolioId,
    /// The portfolio's model.
    pub model: String,
    /// The portfolio's trial.
    pub trial: u32,
    /// Routing key of its messages.
    pub routing_key: &'static str,
    /// Dates that come to their turn, ascending.
    pub dates: Vec<NaiveDate>,
    /// Whether the portfolio is free, so that the lane takes it now.
    pub ready: bool,
    /// The endpoint that its days ask, and how many lanes may ask it side by side.
    pub endpoint: Option<(String, u32)>,
}

/// A lane in the hands of the worker that took its current turn.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Its id.
    pub id: LaneId,
    /// Its job.
    pub job: JobId,
    /// The portfolio it writes.
    pub portfolio: PortfolioId,
    /// The portfolio's model.
    pub model: String,
    /// The portfolio's trial.
    pub trial: u32,
    /// Routing key of its messages.
    pub routing_key: String,
    /// All its dates, ascending.
    pub dates: Vec<NaiveDate>,
    /// How many of them are behind it.
    pub done: usize,
    /// The turn that was taken.
    pub turn: u32,
    /// The right to write; over as soon as somebody else takes the lane.
    pub epoch: i64,
    /// Times it was taken since a day last ended.
    pub crashes: u32,
    /// Of agents: whom its days ask.
    pub endpoint: Option<String>,
}

/// What became of an attempt to take a turn.
#[derive(Debug, Clone)]
pub enum Take {
    /// It is ours.
    Taken(Lane),
    /// Somebody works on it until then, unless they renew.
    Leased(Duration),
    /// It is over, or not due: whoever takes care of the lane will send again.
    Over,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    job_id: Uuid,
    portfolio_id: Uuid,
    model: String,
    trial: i32,
    routing_key: String,
    dates: Vec<NaiveDate>,
    done: i32,
    turn: i32,
    epoch: i64,
    crashes: i32,
    endpoint: Option<String>,
}

impl From<Row> for Lane {
    fn from(row: Row) -> Self {
        Self {
            id: jobs::lane_id(row.id),
            job: JobId(row.job_id),
            portfolio: PortfolioId(row.portfolio_id),
            model: row.model,
            trial: row.trial.cast_unsigned(),
            routing_key: row.routing_key,
            dates: row.dates,
            done: usize::try_from(row.done).unwrap_or_default(),
            turn: row.turn.cast_unsigned(),
            epoch: row.epoch,
            crashes: row.crashes.cast_unsigned(),
            endpoint: row.endpoint,
        }
    }
}

pub(super) async fn insert(connection: &mut PgConnection, job: JobId, lanes: &[NewLane]) -> Result<()> {
    for lane in lanes {
        sqlx::query(
            "-- lanes::insert
            INSERT INTO execution.lanes (id, job_id, portfolio_id, model, trial, routing_key, state, dates, sent_at,
                endpoint, endpoint_limit)
            VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $8 THEN 'ready' ELSE 'waiting' END, $7,
                    CASE WHEN $8 THEN now() END, $9, $10)",
        )
        .bind(lane.id.0)
        .bind(job.0)
        .bind(lane.portfolio.0)
        .bind(&lane.model)
        .bind(lane.trial.cast_signed())
        .bind(lane.routing_key)
        .bind(&lane.dates)
        .bind(lane.ready)
        .bind(lane.endpoint.as_ref().map(|(endpoint, _)| endpoint))
        .bind(lane.endpoint.as_ref().map(|(_, limit)| limit.cast_signed()))
        .execute(&mut *connection)
        .await?;
        if lane.ready {
            sqlx::query("-- lanes::insert hold\nUPDATE execution.portfolios SET holder = $2 WHERE id = $1")
                .bind(lane.portfolio.0)
                .bind(lane.id.0)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Takes `turn` of a lane for three seconds. Until a day ends, the taking counts as one that died.
///
/// `failed` is the epoch of a taking that failed and lives: it could not be put down, so the new one stands
/// in its place, and does not wait for its lease.
///
/// # Errors
/// When Postgres refuses.
pub async fn take(pool: &PgPool, lane: LaneId, turn: u32, failed: Option<i64>) -> Result<Take> {
    if let Some(lane) = try_take(pool, lane, turn, failed, Durable::WithTheNextCommit).await? {
        return Ok(Take::Taken(lane));
    }
    lease_of(pool, lane, turn).await
}

/// What keeps a turn from being taken.
pub(super) async fn lease_of(pool: &PgPool, lane: LaneId, turn: u32) -> Result<Take> {
    let lease: Option<(Option<DateTime<Utc>>, DateTime<Utc>)> = sqlx::query_as(
        "-- lanes::take lease
        SELECT lease_until, now()
        FROM execution.lanes
        WHERE id = $1 AND turn = $2 AND state = 'ready' AND (not_before IS NULL OR not_before <= now())",
    )
    .bind(lane.0)
    .bind(turn.cast_signed())
    .fetch_optional(pool)
    .await?;
    Ok(match lease {
        Some((Some(until), now)) => Take::Leased((until - now).to_std().unwrap_or_default()),
        Some((None, _)) => Take::Leased(Duration::ZERO),
        None => Take::Over,
    })
}

/// When a write has to outlive a crash of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// Before anything is done in its name. So is a taking by an agent's lane: a step is fenced by the epoch
    /// alone.
    AtOnce,
    /// With what the same worker commits next, since one log has both in order. A taking that is lost until
    /// then can be taken again under the same epoch, but a day is fenced by the lane's progress too, so that
    /// only one of the two takers commits it.
    WithTheNextCommit,
}

/// Takes a turn that is free and due.
pub(super) async fn try_take(
    db: impl PgExecutor<'_>,
    lane: LaneId,
    turn: u32,
    failed: Option<i64>,
    durable: Durable,
) -> Result<Option<Lane>> {
    let taken: Option<Row> = sqlx::query_as(
        "-- lanes::take
        UPDATE execution.lanes
        SET epoch = epoch + 1, lease_until = now() + interval '3 s', not_before = NULL, waits_for_endpoint = false,
            crashes = CASE WHEN epoch = $3 THEN greatest(crashes, 1) ELSE crashes + 1 END
        FROM (SELECT CASE WHEN $4 THEN set_config('synchronous_commit', 'off', true) END OFFSET 0) AS setting
        WHERE id = $1 AND turn = $2 AND state = 'ready'
            AND (lease_until IS NULL OR lease_until < now() OR epoch = $3)
            AND (not_before IS NULL OR not_before <= now())
        RETURNING id, job_id, portfolio_id, model, trial, routing_key, dates, done, turn, epoch, crashes,
            endpoint",
    )
    .bind(lane.0)
    .bind(turn.cast_signed())
    .bind(failed)
    .bind(durable == Durable::WithTheNextCommit)
    .fetch_optional(db)
    .await?;
    Ok(taken.map(Into::into))
}

/// Keeps a lane for another three seconds.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken it.
pub async fn renew(pool: &PgPool, lane: &Lane) -> Result<()> {
    let done = sqlx::query(
        "-- lanes::renew
        UPDATE execution.lanes
        SET lease_until = now() + interval '3 s'
        WHERE id = $1 AND epoch = $2 AND turn = $3 AND state = 'ready'",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(lane.turn.cast_signed())
    .execute(pool)
    .await?;
    if done.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// Puts a taken lane down as if it had not been taken, for whoever comes next.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken it.
pub async fn put_down(pool: &PgPool, lane: LaneId, epoch: i64) -> Result<()> {
    let done = sqlx::query(
        "-- lanes::put_down
        UPDATE execution.lanes
        SET crashes = greatest(crashes - 1, 0), lease_until = NULL
        WHERE id = $1 AND epoch = $2 AND state = 'ready'",
    )
    .bind(lane.0)
    .bind(epoch)
    .execute(pool)
    .await?;
    if done.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// Locks the lane for the rest of the transaction, and notes that it makes progress.
pub(super) async fn hold(connection: &mut PgConnection, lane: &Lane) -> Result<()> {
    let held = sqlx::query(
        "-- lanes::hold
        UPDATE execution.lanes
        SET crashes = 0
        WHERE id = $1 AND epoch = $2 AND state = 'ready'",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .execute(connection)
    .await?;
    if held.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// A lane at its end: one transaction that hands the portfolio on and may end the job.
pub struct Closing {
    transaction: Transaction<'static, Postgres>,
    lane: Lane,
    /// The oldest waiter, which now holds the portfolio, with its turn and routing key.
    pub next: Option<(LaneId, u32, String, JobId)>,
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
        sqlx::query("-- lanes::close lock job\nSELECT FROM execution.jobs WHERE id = $1 FOR UPDATE")
            .bind(lane.job.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "-- lanes::close lock portfolio\nSELECT FROM execution.portfolios WHERE id = $1 FOR UPDATE",
        )
        .bind(lane.portfolio.0)
        .execute(&mut *transaction)
        .await?;
        let finished = sqlx::query(
            "-- lanes::close
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
        let next: Option<(Uuid, i32, String, Uuid)> = sqlx::query_as(
            "-- lanes::close hand on
            UPDATE execution.lanes
            SET state = 'ready', sent_at = now(), resends = 0
            WHERE id = (
                SELECT id FROM execution.lanes
                WHERE portfolio_id = $1 AND state = 'waiting'
                ORDER BY ordinal LIMIT 1
            )
            RETURNING id, turn, routing_key, job_id",
        )
        .bind(lane.portfolio.0)
        .fetch_optional(&mut *transaction)
        .await?;
        sqlx::query("-- lanes::close hold\nUPDATE execution.portfolios SET holder = $2 WHERE id = $1")
            .bind(lane.portfolio.0)
            .bind(next.as_ref().map(|(id, ..)| *id))
            .execute(&mut *transaction)
            .await?;
        let (open_lanes,): (i32,) = sqlx::query_as(
            "-- lanes::close count
            UPDATE execution.jobs SET open_lanes = open_lanes - 1 WHERE id = $1 RETURNING open_lanes",
        )
        .bind(lane.job.0)
        .fetch_one(&mut *transaction)
        .await?;
        let next =
            next.map(|(id, turn, key, job)| (jobs::lane_id(id), turn.cast_unsigned(), key, JobId(job)));
        Ok(Self { transaction, lane: lane.clone(), next, open_lanes })
    }

    /// How the job's model-days ended so far.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn tally(&mut self) -> Result<Tally> {
        jobs::tally(&mut self.transaction, self.lane.job).await
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
    pub async fn commit(mut self, messages: &[Outgoing]) -> Result<()> {
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}
