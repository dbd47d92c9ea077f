//! Lanes: who may write a portfolio, and whose turn it is.

use std::sync::Arc;

use chrono::NaiveDate;
use domain::values::ids::{JobId, LaneId, PortfolioId};
use sqlx::FromRow;
use sqlx_postgres::PgExecutor;
use uuid::Uuid;

use super::lists::Lists;
use crate::columns::{corrupt, present};
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;
use crate::sql::without_waiting_if;

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
    /// Dates that it runs, ascending.
    pub dates: Vec<NaiveDate>,
    /// How it begins.
    pub begins: LaneBegin,
    /// Of agents: the endpoint that its days call, and how many lanes may call it side by side.
    pub endpoint: Option<(String, u32)>,
    /// W3C trace context of its turns.
    pub traceparent: Option<String>,
}

/// How a lane begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneBegin {
    /// A lane of another job holds its portfolio.
    Waiting,
    /// It holds its portfolio; its turn waits to be fed to the queue.
    Parked,
    /// It holds its portfolio, and the message of its turn is written with it.
    Ready,
}

impl LaneBegin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Ready => "ready",
        }
    }
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
    pub dates: Arc<[NaiveDate]>,
    /// How many of them have ended.
    pub done: usize,
    /// The turn that was taken.
    pub turn: u32,
    /// The fencing token: a write is refused once another worker has taken the lane.
    pub epoch: i64,
    /// Times it was taken since a day last ended.
    pub crashes: u32,
    /// Of agents: the endpoint that its days call.
    pub endpoint: Option<String>,
    /// W3C trace context of its turns.
    pub traceparent: Option<String>,
}

/// What became of an attempt to take a turn.
#[derive(Debug, Clone)]
pub enum Take {
    /// It is ours.
    Taken(Lane),
    /// Another worker has it. It is due again as soon as no worker has it.
    Held,
    /// It is over, or not due; the turn that is due has a message of its own.
    Over,
}

#[derive(FromRow)]
pub(super) struct LaneRow {
    id: Uuid,
    job_id: Uuid,
    portfolio_id: Uuid,
    model: String,
    trial: i32,
    routing_key: String,
    /// Absent when they are known.
    dates: Option<Vec<NaiveDate>>,
    done: i32,
    turn: i32,
    epoch: i64,
    crashes: i32,
    endpoint: Option<String>,
    traceparent: Option<String>,
}

impl LaneRow {
    pub(super) fn lane(self, known: Option<&Arc<[NaiveDate]>>) -> Result<Lane> {
        let dates = self.dates.map(Into::into).or_else(|| known.cloned());
        Ok(Lane {
            id: LaneId(self.id),
            job: JobId(self.job_id),
            portfolio: PortfolioId(self.portfolio_id),
            model: self.model,
            trial: self.trial.cast_unsigned(),
            routing_key: self.routing_key,
            dates: present("execution.lanes", "dates", dates)?,
            done: usize::try_from(self.done).map_err(corrupt("execution.lanes"))?,
            turn: self.turn.cast_unsigned(),
            epoch: self.epoch,
            crashes: self.crashes.cast_unsigned(),
            endpoint: self.endpoint,
            traceparent: self.traceparent,
        })
    }
}

pub(super) async fn insert(connection: &mut Connection, job: JobId, lanes: &[NewLane]) -> Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let dates = Lists::of(lanes.iter().map(|lane| lane.dates.as_slice()));
    let endpoints = lanes.iter().map(|lane| lane.endpoint.as_ref());
    sqlx::query(
        "-- lanes::insert
        WITH given AS MATERIALIZED (
            SELECT *
            FROM UNNEST($2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::text[], $7::text[], $8::int[], $9::int[],
                $10::text[], $11::int[], $12::text[])
                WITH ORDINALITY AS given (id, portfolio_id, model, trial, routing_key, state, first, last, endpoint,
                    endpoint_limit, traceparent, place)
        ), lanes AS (
            INSERT INTO execution.lanes (id, job_id, portfolio_id, model, trial, routing_key, state, dates, sent_at,
                endpoint, endpoint_limit, traceparent)
            SELECT id, $1, portfolio_id, model, trial, routing_key, state, ($13::date[])[first:last],
                CASE WHEN state = 'ready' THEN now() END, endpoint, endpoint_limit, traceparent
            FROM given
            ORDER BY place
        )
        UPDATE execution.portfolios
        SET holder = given.id
        FROM given
        WHERE portfolios.id = given.portfolio_id AND given.state <> 'waiting'",
    )
    .bind(job.0)
    .bind(lanes.iter().map(|lane| lane.id.0).collect::<Vec<_>>())
    .bind(lanes.iter().map(|lane| lane.portfolio.0).collect::<Vec<_>>())
    .bind(lanes.iter().map(|lane| lane.model.as_str()).collect::<Vec<_>>())
    .bind(lanes.iter().map(|lane| lane.trial.cast_signed()).collect::<Vec<_>>())
    .bind(lanes.iter().map(|lane| lane.routing_key).collect::<Vec<_>>())
    .bind(lanes.iter().map(|lane| lane.begins.as_str()).collect::<Vec<_>>())
    .bind(dates.firsts)
    .bind(dates.lasts)
    .bind(endpoints.clone().map(|endpoint| endpoint.map(|(address, _)| address.as_str())).collect::<Vec<_>>())
    .bind(endpoints.map(|endpoint| endpoint.map(|(_, limit)| limit.cast_signed())).collect::<Vec<_>>())
    .bind(lanes.iter().map(|lane| lane.traceparent.as_deref()).collect::<Vec<_>>())
    .bind(dates.items)
    .execute(connection)
    .await?;
    Ok(())
}

/// The process that takes a turn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taker {
    /// The number of its [`Presence`](super::Presence). Its hold ends with it, before the lease does.
    pub holder: Option<i64>,
    /// The epoch under which it took the lane before and failed, when the lane could not be put down then: that hold is
    /// its own.
    pub failed: Option<i64>,
}

/// Takes `turn` of a lane for three seconds, or until the process that takes it is gone. Until a day ends, this counts
/// as a crash. `dates` are the lane's, if they are known; they never change and are not read again.
pub async fn take(
    pool: &PgPool,
    lane: LaneId,
    turn: u32,
    taker: Taker,
    dates: Option<&Arc<[NaiveDate]>>,
) -> Result<Take> {
    if let Some(lane) = try_take(pool, lane, turn, taker, dates, Durable::WithTheNextCommit).await? {
        return Ok(Take::Taken(lane));
    }
    put_off(pool, lane, turn).await
}

/// Makes a turn due again for when no worker has it, since its message was used up. A turn that is over stays so.
pub(super) async fn put_off(pool: &PgPool, lane: LaneId, turn: u32) -> Result<Take> {
    let held = sqlx::query(
        "-- lanes::put_off
        UPDATE execution.lanes
        SET not_before = now()
        WHERE id = $1 AND turn = $2 AND state = 'ready'
            -- Of several that come at once, one may begin before another has written.
            AND (not_before IS NULL OR not_before <= clock_timestamp())",
    )
    .bind(lane.0)
    .bind(turn.cast_signed())
    .execute(pool)
    .await?;
    Ok(if held.rows_affected() == 0 { Take::Over } else { Take::Held })
}

/// When a write has to be durable, that is to survive a crash of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// When the statement returns. A turn of an agent's lane is taken so, since the steps of an agent are fenced by the
    /// epoch alone.
    AtOnce,
    /// With the next commit of the same worker, since the log has both in order. When the taking of a turn is lost
    /// before that, another worker can take the lane under the same epoch. Days are fenced by the lane's progress too,
    /// so only one of the two commits them.
    WithTheNextCommit,
}

/// Takes a turn that is free and due.
pub(super) async fn try_take(
    db: impl PgExecutor<'_>,
    lane: LaneId,
    turn: u32,
    taker: Taker,
    dates: Option<&Arc<[NaiveDate]>>,
    durable: Durable,
) -> Result<Option<Lane>> {
    let taken: Option<LaneRow> = sqlx::query_as(concat!(
        "-- lanes::take
        UPDATE execution.lanes
        SET epoch = epoch + 1, lease_until = now() + interval '3 s', not_before = NULL, waits_for_endpoint = false,
            crashes = CASE WHEN epoch = $3 THEN greatest(crashes, 1) ELSE crashes + 1 END, holder = $6
        FROM ",
        without_waiting_if!("$4"),
        "
        WHERE id = $1 AND turn = $2 AND state = 'ready'
            AND (not_before IS NULL OR not_before <= now())
            AND CASE
                WHEN lease_until IS NULL OR lease_until < now() OR epoch = $3 THEN true
                ELSE execution.is_gone(holder)
            END
        RETURNING id, job_id, portfolio_id, model, trial, routing_key, CASE WHEN $5 THEN NULL ELSE dates END AS dates,
            done, turn, epoch, crashes, endpoint, traceparent",
    ))
    .bind(lane.0)
    .bind(turn.cast_signed())
    .bind(taker.failed)
    .bind(durable == Durable::WithTheNextCommit)
    .bind(dates.is_some())
    .bind(taker.holder)
    .fetch_optional(db)
    .await?;
    taken.map(|row| row.lane(dates)).transpose()
}

/// Keeps a lane for another three seconds, in the name of `holder`, which may have changed.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken it.
pub async fn renew(pool: &PgPool, lane: &Lane, holder: Option<i64>) -> Result<()> {
    let done = sqlx::query(
        "-- lanes::renew
        UPDATE execution.lanes
        SET lease_until = now() + interval '3 s', holder = $4
        WHERE id = $1 AND epoch = $2 AND turn = $3 AND state = 'ready'",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(lane.turn.cast_signed())
    .bind(holder)
    .execute(pool)
    .await?;
    if done.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}

/// Puts a taken lane down as if it had not been taken, so that any worker can take it at once.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken it.
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
pub(super) async fn hold(connection: &mut Connection, lane: &Lane) -> Result<()> {
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
