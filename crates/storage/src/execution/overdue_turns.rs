//! Turns that no worker has: their wait is over, or their message seems lost.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::values::ids::{JobId, LaneId};
use uuid::Uuid;

use crate::error::Result;
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::sql::is_free;
use crate::transaction::Transaction;

/// A ready lane whose current turn no worker has taken in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueTurn {
    /// The lane.
    pub lane: LaneId,
    /// Its current turn.
    pub turn: u32,
    /// Routing key of its messages.
    pub routing_key: String,
    /// Its job.
    pub job: JobId,
    /// When the turn's message was last written.
    pub sent_at: Option<DateTime<Utc>>,
    /// W3C trace context of the lane's turns.
    pub traceparent: Option<String>,
}

/// Lane, turn, routing key, job, when the message was sent, and the trace context.
type TurnColumns = (Uuid, i32, String, Uuid, Option<DateTime<Utc>>, Option<String>);

/// How many messages of turns stand in line, by their routing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The routing key.
    pub routing_key: String,
    /// The messages in its queue that no consumer has.
    pub messages: u32,
}

/// The most turns that are read at once: their messages are written in one transaction.
const PAGE: i64 = 1_000;

/// Locks turns that no worker has and whose `not_before` has passed, at most 1,000.
pub async fn due_turns(pool: &PgPool) -> Result<(Transaction, Vec<OverdueTurn>)> {
    let mut transaction = pool.begin().await?;
    let rows = sqlx::query_as(concat!(
        "-- overdue_turns::due_turns
        SELECT id, turn, routing_key, job_id, sent_at, traceparent
        FROM execution.lanes
        WHERE state = 'ready' AND not_before <= now()
            AND ",
        is_free!(),
        "
        ORDER BY not_before
        LIMIT $1
        FOR UPDATE SKIP LOCKED"
    ))
    .bind(PAGE)
    .fetch_all(&mut *transaction)
    .await?;
    Ok((transaction, turns(rows)))
}

/// Locks turns that no worker has and that are due, however long ago their messages were sent: the first 1,000 with ids
/// above `after`, by id.
pub async fn free_turns(pool: &PgPool, after: LaneId) -> Result<(Transaction, Vec<OverdueTurn>)> {
    let mut transaction = pool.begin().await?;
    let rows = sqlx::query_as(concat!(
        "-- overdue_turns::free_turns
        SELECT id, turn, routing_key, job_id, sent_at, traceparent
        FROM execution.lanes
        WHERE id > $1 AND state = 'ready' AND (not_before IS NULL OR not_before <= now())
            AND ",
        is_free!(),
        "
        ORDER BY id
        LIMIT $2
        FOR UPDATE SKIP LOCKED"
    ))
    .bind(after.0)
    .bind(PAGE)
    .fetch_all(&mut *transaction)
    .await?;
    Ok((transaction, turns(rows)))
}

/// The routing keys of turns that wait for longer than `waits`, unless messages of the key wait in the outbox.
pub async fn overdue_keys(pool: &PgPool, waits: &[Duration]) -> Result<Vec<String>> {
    let keys: Vec<(String,)> = sqlx::query_as(
        "-- overdue_turns::overdue_keys
        SELECT routing_key
        FROM (
            SELECT DISTINCT routing_key
            FROM execution.lanes
            WHERE state = 'ready' AND not_before IS NULL
                AND greatest(sent_at, lease_until)
                    < now() - make_interval(secs => ($1::float8[])[1 + least(resends, cardinality($1::float8[]) - 1)])
        ) AS overdue
        WHERE NOT EXISTS (
            SELECT FROM execution.outbox
            WHERE sent_at IS NULL AND created_at < now() - interval '1 s'
                AND outbox.routing_key = overdue.routing_key
        )",
    )
    .bind(seconds(waits))
    .fetch_all(pool)
    .await?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Turns that seem lost, at most 1,000: more turns wait than messages stand in line. A queue hands out its oldest
/// messages first, so `n` messages in line belong to the `n` turns that were sent last; of those that were sent together,
/// to those that no worker has taken yet.
///
/// A turn that no worker has is waited for as `waits` say: the first time if it was not sent again, the next one if it was
/// sent again once, and so on; the last one for all others. Copies in the queue may hide that a turn was lost. So one that may
/// stand in line is not waited for without end, but a hundred times as long, and as long as workers have not come to turns
/// that were sent later: nothing is gained by sending more while the line stands still.
///
/// Messages on their way from the queue to a worker stand in no line. Those of the last second may wait in the outbox,
/// and count as messages in line.
pub async fn lost_turns(pool: &PgPool, waits: &[Duration], lines: &[Line]) -> Result<Vec<OverdueTurn>> {
    let (keys, messages): (Vec<&str>, Vec<i64>) =
        lines.iter().map(|line| (line.routing_key.as_str(), i64::from(line.messages))).unzip();
    let rows = sqlx::query_as(
        "-- overdue_turns::lost_turns
        SELECT id, turn, routing_key, job_id, sent_at, traceparent
        FROM (
            SELECT id, turn, routing_key, job_id, sent_at, traceparent, lease_until, resends,
                row_number() OVER (
                    PARTITION BY routing_key ORDER BY sent_at DESC, lease_until DESC NULLS FIRST
                ) AS place
            FROM execution.lanes
            WHERE state = 'ready' AND not_before IS NULL AND sent_at < now() - interval '1 s'
                AND (lease_until IS NULL OR lease_until < now())
        ) AS sent
        LEFT JOIN unnest($2::text[], $3::bigint[]) AS line (routing_key, messages) USING (routing_key)
        LEFT JOIN (
            SELECT routing_key, max(sent_at) AS reached
            FROM execution.lanes
            WHERE state = 'ready' AND lease_until > now()
            GROUP BY routing_key
        ) AS taken USING (routing_key)
        WHERE greatest(sent_at, lease_until)
            < now() - make_interval(secs => ($1::float8[])[1 + least(resends, cardinality($1::float8[]) - 1)])
                * CASE WHEN place > messages THEN 1 ELSE 100 END
            AND (place > messages OR sent_at < reached)
        ORDER BY sent_at
        LIMIT $4",
    )
    .bind(seconds(waits))
    .bind(keys)
    .bind(messages)
    .bind(PAGE)
    .fetch_all(pool)
    .await?;
    Ok(turns(rows))
}

/// Locks those of the turns that still no worker has, and that were not sent again meanwhile.
pub async fn lock_turns(pool: &PgPool, lost: &[OverdueTurn]) -> Result<(Transaction, Vec<OverdueTurn>)> {
    let lanes: Vec<Uuid> = lost.iter().map(|turn| turn.lane.0).collect();
    let numbers: Vec<i32> = lost.iter().map(|turn| turn.turn.cast_signed()).collect();
    let sent_at: Vec<Option<DateTime<Utc>>> = lost.iter().map(|turn| turn.sent_at).collect();
    let mut transaction = pool.begin().await?;
    let rows = sqlx::query_as(
        "-- overdue_turns::lock_turns
        SELECT lane.id, lane.turn, lane.routing_key, lane.job_id, lane.sent_at, lane.traceparent
        FROM execution.lanes AS lane
        JOIN unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS lost (id, turn, sent_at)
            ON lost.id = lane.id AND lost.turn = lane.turn AND lost.sent_at = lane.sent_at
        WHERE lane.state = 'ready' AND lane.not_before IS NULL
            AND (lane.lease_until IS NULL OR lane.lease_until < now())
        FOR UPDATE OF lane SKIP LOCKED",
    )
    .bind(lanes)
    .bind(numbers)
    .bind(sent_at)
    .fetch_all(&mut *transaction)
    .await?;
    Ok((transaction, turns(rows)))
}

/// Writes the turns' messages again and commits. The turns stay the same, so copies of a message do not multiply.
pub async fn resend_turns(
    mut transaction: Transaction,
    turns: &[OverdueTurn],
    messages: &[NewMessage],
) -> Result<()> {
    let ids: Vec<Uuid> = turns.iter().map(|turn| turn.lane.0).collect();
    sqlx::query(
        "-- overdue_turns::resend_turns
        UPDATE execution.lanes
        SET sent_at = now(), resends = resends + 1, not_before = NULL
        WHERE id = ANY($1)",
    )
    .bind(ids)
    .execute(&mut *transaction)
    .await?;
    outbox::write(&mut transaction, messages).await?;
    transaction.commit().await?;
    Ok(())
}

fn turns(rows: Vec<TurnColumns>) -> Vec<OverdueTurn> {
    rows.into_iter()
        .map(|(lane, turn, routing_key, job, sent_at, traceparent)| OverdueTurn {
            lane: LaneId(lane),
            turn: turn.cast_unsigned(),
            routing_key,
            job: JobId(job),
            sent_at,
            traceparent,
        })
        .collect()
}

fn seconds(waits: &[Duration]) -> Vec<f64> {
    waits.iter().map(Duration::as_secs_f64).collect()
}
