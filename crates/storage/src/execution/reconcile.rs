//! Lanes whose message seems lost, or whose wait is over.

use chrono::{DateTime, Utc};
use domain::values::ids::{JobId, LaneId};
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::error::Result;
use crate::outbox::{self, NewMessage};

/// A ready lane whose current turn nobody has taken for long.
#[derive(Debug, Clone)]
pub struct Overdue {
    /// The lane.
    pub lane: LaneId,
    /// Its current turn.
    pub turn: u32,
    /// Routing key of its messages.
    pub routing_key: String,
    /// Its job.
    pub job: JobId,
    /// When its message was last written.
    pub sent_at: Option<DateTime<Utc>>,
}

type Row = (Uuid, i32, String, Uuid, Option<DateTime<Utc>>);

/// Most lanes that [`overdue`] answers at once: their messages are written in one transaction.
const PAGE: i64 = 1_000;

/// Locks the lanes whose turn has not been taken for `patience` seconds (doubling with each resend, or at
/// once when `all`), or whose `not_before` is due: the first 1,000 with ids above `after`, by id. None means
/// that there are no more.
///
/// # Errors
/// When Postgres refuses.
pub async fn overdue(
    pool: &PgPool,
    patience: f64,
    all: bool,
    after: LaneId,
) -> Result<(Transaction<'static, Postgres>, Vec<Overdue>)> {
    let mut transaction = pool.begin().await?;
    let rows: Vec<Row> = sqlx::query_as(
        "-- reconcile::overdue
        SELECT id, turn, routing_key, job_id, sent_at
        FROM execution.lanes
        WHERE id > $3 AND state = 'ready' AND (lease_until IS NULL OR lease_until < now())
            AND CASE
                WHEN not_before IS NOT NULL THEN not_before <= now()
                ELSE $2 OR sent_at < now() - make_interval(secs => $1 * 2 ^ least(resends, 6))
            END
        ORDER BY id
        LIMIT $4
        FOR UPDATE SKIP LOCKED",
    )
    .bind(patience)
    .bind(all)
    .bind(after.0)
    .bind(PAGE)
    .fetch_all(&mut *transaction)
    .await?;
    let lanes = rows
        .into_iter()
        .map(|(lane, turn, routing_key, job, sent_at)| Overdue {
            lane: LaneId(lane),
            turn: turn.cast_unsigned(),
            routing_key,
            job: JobId(job),
            sent_at,
        })
        .collect();
    Ok((transaction, lanes))
}

/// Writes the lanes' messages again and commits. The turn stays, so copies never multiply.
///
/// # Errors
/// When Postgres refuses.
pub async fn resent(
    mut transaction: Transaction<'static, Postgres>,
    lanes: &[Overdue],
    messages: &[NewMessage],
) -> Result<()> {
    let ids: Vec<Uuid> = lanes.iter().map(|lane| lane.lane.0).collect();
    sqlx::query(
        "-- reconcile::resent
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
