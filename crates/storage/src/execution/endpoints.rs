//! Lanes that wait: for their endpoint, until an instant, or for their next slice.

use std::time::Duration;

use domain::values::ids::LaneId;

use super::lanes::{Durable, Lane, Take, Taker, put_off, try_take};
use crate::error::{Result, StorageError};
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::sql::is_free;

/// The longest time that a lane waits for its endpoint; another lane that ends its turn makes it due earlier.
const MAX_WAIT: &str = "5 s";

/// Ends a turn before its day has ended: at once with the next turn's `message`, or after `wait`.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane.
pub async fn hand_back(
    pool: &PgPool,
    lane: &Lane,
    wait: Option<Duration>,
    message: Option<NewMessage>,
) -> Result<()> {
    let mut transaction = pool.begin().await?;
    let done = sqlx::query(
        "-- endpoints::hand_back
        UPDATE execution.lanes
        SET turn = turn + 1, lease_until = NULL, crashes = 0, sent_at = now(), resends = 0,
            not_before = now() + make_interval(secs => $3)
        WHERE id = $1 AND epoch = $2 AND state = 'ready'",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(wait.map(|wait| wait.as_secs_f64()))
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StorageError::Fenced);
    }
    outbox::write(&mut transaction, message.as_slice()).await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes a turn of a lane that calls an endpoint, unless as many lanes as are allowed call it already: the lane then
/// waits until one of them ends its turn. Turns of the same endpoint are taken one after another.
pub async fn take_with_endpoint(pool: &PgPool, lane: LaneId, turn: u32, taker: Taker) -> Result<Take> {
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "-- endpoints::take lock
        SELECT pg_advisory_xact_lock(hashtext('endpoint'), hashtext(endpoint))
        FROM execution.lanes
        WHERE id = $1",
    )
    .bind(lane.0)
    .execute(&mut *transaction)
    .await?;
    let waits = sqlx::query(
        concat!("-- endpoints::take wait
        UPDATE execution.lanes AS mine
        SET not_before = now() + $3::interval, waits_for_endpoint = true
        WHERE id = $1 AND turn = $2 AND state = 'ready'
            AND ",
 is_free!(),
 "
            AND endpoint_limit <= (
                SELECT count(*) FROM execution.lanes AS other
                WHERE other.endpoint = mine.endpoint AND other.id <> mine.id AND other.state = 'ready'
                    AND CASE WHEN other.lease_until > now() THEN NOT execution.is_gone(other.holder) ELSE false END
            ) + (
                SELECT count(*) FROM execution.rehearsals AS tried
                WHERE tried.endpoint = mine.endpoint
                    AND CASE WHEN tried.lease_until > now() THEN NOT execution.is_gone(tried.holder) ELSE false END
            )"),
    )
    .bind(lane.0)
    .bind(turn.cast_signed())
    .bind(MAX_WAIT)
    .execute(&mut *transaction)
    .await?;
    let taken = match waits.rows_affected() {
        0 => try_take(&mut *transaction, lane, turn, taker, None, Durable::AtOnce).await?,
        _ => None,
    };
    transaction.commit().await?;
    match taken {
        Some(lane) => Ok(Take::Taken(lane)),
        None => put_off(pool, lane, turn).await,
    }
}

/// Makes the lane due that has waited longest for `endpoint`; false when none waits.
pub async fn call_next(pool: &PgPool, endpoint: &str) -> Result<bool> {
    let called = sqlx::query(
        "-- endpoints::call_next
        UPDATE execution.lanes
        SET not_before = now(), waits_for_endpoint = false
        WHERE id = (
            SELECT id FROM execution.lanes
            WHERE endpoint = $1 AND waits_for_endpoint AND state = 'ready' AND not_before IS NOT NULL
            ORDER BY not_before, id LIMIT 1
            FOR UPDATE SKIP LOCKED
        )",
    )
    .bind(endpoint)
    .execute(pool)
    .await?;
    Ok(called.rows_affected() > 0)
}
