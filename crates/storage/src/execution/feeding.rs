//! Feeding: parked lanes get a place in the line of their queue, a few at a time.

use domain::job::Priority;
use domain::simulation::line::JobInLine;
use domain::values::ids::JobId;
use sqlx::FromRow;
use uuid::Uuid;

use super::lane_end::{NextLane, NextLaneRow};
use super::lanes::Lane;
use crate::columns::present;
use crate::error::{Result, StorageError};
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// Which of these routing keys have parked lanes.
pub async fn parked_keys(pool: &PgPool, routing_keys: &[&str]) -> Result<Vec<String>> {
    let keys: Vec<(String,)> = sqlx::query_as(
        "-- feeding::parked_keys
        SELECT routing_key
        FROM UNNEST($1::text[]) AS given (routing_key)
        WHERE EXISTS (
            SELECT FROM execution.lanes WHERE lanes.routing_key = given.routing_key AND state = 'parked'
        )",
    )
    .bind(routing_keys)
    .fetch_all(pool)
    .await?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// One feeding of a queue: a transaction, of which there is one at a time for each queue.
pub struct Feeding {
    transaction: Transaction,
    routing_key: String,
    /// The jobs with turns in line or parked lanes, those that were planned first first.
    pub jobs: Vec<JobInLine>,
}

#[derive(FromRow)]
struct JobInLineRow {
    id: Uuid,
    priority: i16,
    is_paced: bool,
    standing: i64,
    parked: i64,
}

impl JobInLineRow {
    fn job(self) -> Result<JobInLine> {
        let count = |lanes: i64| u32::try_from(lanes).unwrap_or(u32::MAX);
        Ok(JobInLine {
            job: JobId(self.id),
            priority: present("execution.jobs", "priority", Priority::of_rank(self.priority))?,
            is_paced: self.is_paced,
            standing: count(self.standing),
            parked: count(self.parked),
        })
    }
}

impl Feeding {
    /// Looks at the line of a queue, and at the lanes of each job that are parked, up to `places`; `None` while another
    /// process feeds it. Jobs that are cancelled are left out, so that they are not fed. A turn that waits for an instant stands in no line; one that waits for its endpoint does, so that
    /// no more lanes than the line's places wait for one endpoint.
    pub async fn begin(pool: &PgPool, routing_key: &str, places: u32) -> Result<Option<Self>> {
        let mut transaction = pool.begin().await?;
        let (is_mine,): (bool,) = sqlx::query_as(
            "-- feeding::begin lock\nSELECT pg_try_advisory_xact_lock(hashtext('feeding'), hashtext($1))",
        )
        .bind(routing_key)
        .fetch_one(&mut *transaction)
        .await?;
        if !is_mine {
            transaction.rollback().await?;
            return Ok(None);
        }
        let rows: Vec<JobInLineRow> = sqlx::query_as(
            "-- feeding::begin
            SELECT job.id, job.priority, job.is_paced, coalesce(line.turns, 0) AS standing, parked.lanes AS parked
            FROM execution.jobs AS job
            LEFT JOIN (
                SELECT job_id, count(*) AS turns
                FROM execution.lanes
                WHERE state = 'ready' AND routing_key = $1
                    AND (lease_until IS NULL OR lease_until < now())
                    AND (not_before IS NULL OR waits_for_endpoint)
                GROUP BY job_id
            ) AS line ON line.job_id = job.id
            CROSS JOIN LATERAL (
                SELECT count(*) AS lanes
                FROM (
                    SELECT FROM execution.lanes
                    WHERE job_id = job.id AND routing_key = $1 AND state = 'parked'
                    LIMIT $2
                ) AS counted
            ) AS parked
            WHERE job.state = 'running' AND job.planned_portfolios IS NULL
                AND (line.turns > 0 OR parked.lanes > 0)
                AND NOT EXISTS (SELECT FROM trigger.cancellations WHERE job_id = job.id)
            ORDER BY job.planned_at, job.id",
        )
        .bind(routing_key)
        .bind(i64::from(places))
        .fetch_all(&mut *transaction)
        .await?;
        let jobs = rows.into_iter().map(JobInLineRow::job).collect::<Result<_>>()?;
        Ok(Some(Self { transaction, routing_key: routing_key.to_owned(), jobs }))
    }

    /// Gives so many parked lanes of each job their turn, those that were planned first first.
    pub async fn feed(&mut self, turns: &[(JobId, u32)]) -> Result<Vec<NextLane>> {
        // What another session has locked is left for the next time, so that this does not wait.
        let rows: Vec<NextLaneRow> = sqlx::query_as(
            "-- feeding::feed
            WITH fed AS MATERIALIZED (
                SELECT lane.id
                FROM UNNEST($2::uuid[], $3::bigint[]) AS given (job_id, turns)
                CROSS JOIN LATERAL (
                    SELECT id FROM execution.lanes
                    WHERE job_id = given.job_id AND routing_key = $1 AND state = 'parked'
                    ORDER BY ordinal
                    LIMIT given.turns
                    FOR UPDATE SKIP LOCKED
                ) AS lane
            )
            UPDATE execution.lanes AS lane
            SET state = 'ready', sent_at = now(), resends = 0
            FROM fed
            WHERE lane.id = fed.id
            RETURNING lane.id, lane.job_id, lane.turn, lane.routing_key, lane.traceparent",
        )
        .bind(&self.routing_key)
        .bind(turns.iter().map(|(job, _)| job.0).collect::<Vec<_>>())
        .bind(turns.iter().map(|(_, turns)| i64::from(*turns)).collect::<Vec<_>>())
        .fetch_all(&mut *self.transaction)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Writes the messages of the turns and commits.
    pub async fn commit(mut self, messages: &[NewMessage]) -> Result<()> {
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

/// Ends the turn of a lane, which makes room in line for those of other jobs: its next turn waits to be fed.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane.
pub async fn park(pool: &PgPool, lane: &Lane) -> Result<()> {
    let parked = sqlx::query(
        "-- feeding::park
        UPDATE execution.lanes
        SET state = 'parked', turn = turn + 1, lease_until = NULL, not_before = NULL, crashes = 0
        WHERE id = $1 AND epoch = $2 AND state = 'ready'",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .execute(pool)
    .await?;
    if parked.rows_affected() == 0 { Err(StorageError::Fenced) } else { Ok(()) }
}
