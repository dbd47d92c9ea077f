//! Rows of agents' days that are not kept for ever. Several processes may delete at once; none waits for another.

use std::time::Duration;

use domain::values::ids::JobId;

use crate::error::Result;
use crate::pool::PgPool;
use crate::retention::Pruned;

/// Attempts of a batch, each with the calls of a day.
const ATTEMPTS: i64 = 200;
/// Conversations of a batch.
const CONVERSATIONS: i64 = 200;

/// Items of WITH that delete the journals of the attempts in `old`.
macro_rules! journals_gone {
    () => {
        "journal AS (
            DELETE FROM execution.journal entry
            USING old
            WHERE entry.portfolio_id = old.portfolio_id AND entry.trading_date = old.trading_date
                AND entry.revision = old.revision AND entry.attempt = old.attempt
        ), known AS (
            UPDATE execution.attempts attempt
            SET has_journal = false
            FROM old
            WHERE attempt.portfolio_id = old.portfolio_id AND attempt.trading_date = old.trading_date
                AND attempt.revision = old.revision AND attempt.attempt = old.attempt
        )"
    };
}

/// Deletes the journals of attempts that ended longer than `keep` ago. Counts attempts.
pub async fn prune_journal(pool: &PgPool, keep: Duration) -> Result<Pruned> {
    let (attempts,): (i64,) = sqlx::query_as(concat!(
        "-- retention::prune_journal
        WITH old AS MATERIALIZED (
            SELECT portfolio_id, trading_date, revision, attempt
            FROM execution.attempts
            WHERE has_journal AND ended_at < now() - make_interval(secs => $1)
            ORDER BY ended_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ), ",
        journals_gone!(),
        "
        SELECT count(*) FROM old"
    ))
    .bind(keep.as_secs_f64())
    .bind(ATTEMPTS)
    .fetch_one(pool)
    .await?;
    Ok(Pruned::of(attempts.cast_unsigned(), ATTEMPTS))
}

/// Whether the journals of all of the job's attempts are still there, so that its days can be replayed.
pub async fn has_journals(pool: &PgPool, job: JobId) -> Result<bool> {
    let (has,) = sqlx::query_as(
        "-- retention::has_journals
        SELECT NOT EXISTS (SELECT FROM execution.attempts WHERE job_id = $1 AND NOT has_journal)",
    )
    .bind(job.0)
    .fetch_one(pool)
    .await?;
    Ok(has)
}

/// Deletes transcripts that were written longer than `keep` ago, with the journals of their attempts, and conversations
/// that were sent so long ago.
pub async fn prune_conversations(pool: &PgPool, keep: Duration) -> Result<Pruned> {
    let (rows,): (i64,) = sqlx::query_as(concat!(
        "-- retention::prune_conversations
        WITH old AS MATERIALIZED (
            SELECT job_id, portfolio_id, trading_date, revision, attempt
            FROM execution.transcripts
            WHERE written_at < now() - make_interval(secs => $1)
            ORDER BY written_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ), transcripts AS (
            DELETE FROM execution.transcripts said
            USING old
            WHERE said.job_id = old.job_id AND said.portfolio_id = old.portfolio_id
                AND said.trading_date = old.trading_date
            RETURNING 1
        ), ",
        journals_gone!(),
        ", recorded AS (
            DELETE FROM execution.recorded_conversations
            WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM execution.recorded_conversations
                WHERE sent_at < now() - make_interval(secs => $1)
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ))
            RETURNING 1
        )
        SELECT greatest((SELECT count(*) FROM transcripts), (SELECT count(*) FROM recorded))"
    ))
    .bind(keep.as_secs_f64())
    .bind(CONVERSATIONS)
    .fetch_one(pool)
    .await?;
    Ok(Pruned::of(rows.cast_unsigned(), CONVERSATIONS))
}

/// Deletes what was sent to endpoints in minutes that began longer than `keep` ago.
pub async fn prune_endpoint_minutes(pool: &PgPool, keep: Duration) -> Result<Pruned> {
    let done = sqlx::query(
        "-- retention::prune_endpoint_minutes
        DELETE FROM execution.endpoint_minutes WHERE minute < now() - make_interval(secs => $1)",
    )
    .bind(keep.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(Pruned { rows: done.rows_affected(), more: false })
}
