//! Turns that no worker has taken: their message seems lost, or their wait is over.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::values::ids::{JobId, LaneId};
use uuid::Uuid;

use crate::error::Result;
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// A ready lane whose current turn no worker has taken in time.
#[derive(Debug, Clone)]
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
}

/// Lane, turn, routing key, job, and when the message was sent.
type TurnColumns = (Uuid, i32, String, Uuid, Option<DateTime<Utc>>);

/// The most turns that [`overdue_turns`] returns at once: their messages are written in one transaction.
const PAGE: i64 = 1_000;

/// Which turns are overdue.
#[derive(Debug, Clone, Copy)]
pub enum Waited<'a> {
    /// Those whose message was written so long ago: the first time for a turn that was not sent again, the next one for
    /// a turn that was sent again once, and so on; the last time for all others.
    AtLeast(&'a [Duration]),
    /// All that no worker has.
    AnyTime,
}

/// Locks lanes whose turn is overdue, or whose `not_before` has passed: the first 1,000 with ids above `after`, by id.
/// Without any, there are no more.
pub async fn overdue_turns(
    pool: &PgPool,
    waited: Waited<'_>,
    after: LaneId,
) -> Result<(Transaction, Vec<OverdueTurn>)> {
    let seconds: Option<Vec<f64>> = match waited {
        Waited::AtLeast(waits) => Some(waits.iter().map(Duration::as_secs_f64).collect()),
        Waited::AnyTime => None,
    };
    let mut transaction = pool.begin().await?;
    let rows: Vec<TurnColumns> = sqlx::query_as(
        "-- overdue_turns::overdue_turns
        SELECT id, turn, routing_key, job_id, sent_at
        FROM execution.lanes
        WHERE id > $2 AND state = 'ready' AND (lease_until IS NULL OR lease_until < now())
            AND CASE
                WHEN not_before IS NOT NULL THEN not_before <= now()
                ELSE $1::float8[] IS NULL
                    OR sent_at < now() - make_interval(secs => $1[1 + least(resends, cardinality($1) - 1)])
            END
        ORDER BY id
        LIMIT $3
        FOR UPDATE SKIP LOCKED",
    )
    .bind(seconds)
    .bind(after.0)
    .bind(PAGE)
    .fetch_all(&mut *transaction)
    .await?;
    let turns = rows
        .into_iter()
        .map(|(lane, turn, routing_key, job, sent_at)| OverdueTurn {
            lane: LaneId(lane),
            turn: turn.cast_unsigned(),
            routing_key,
            job: JobId(job),
            sent_at,
        })
        .collect();
    Ok((transaction, turns))
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
