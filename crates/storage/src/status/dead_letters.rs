//! Dead letters: messages that no consumer could handle, kept with the reason.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;
use crate::retention::Pruned;

/// How many bytes of a body are kept. A letter with a larger body cannot be replayed.
const MAX_BODY: usize = 256 * 1024;

/// A message to keep as a dead letter.
#[derive(Debug, Clone)]
pub struct NewDeadLetter<'a> {
    /// The queue whose consumer could not handle it.
    pub queue: Option<&'a str>,
    /// Why it could not be handled.
    pub reason: &'a str,
    /// The exchange to which it was published first.
    pub exchange: Option<&'a str>,
    /// The routing key with which it was published first.
    pub routing_key: &'a str,
    /// Its id, as the sender set it.
    pub message_id: Option<&'a str>,
    /// Its type, as the sender set it.
    pub kind: Option<&'a str>,
    /// Its headers.
    pub headers: &'a Value,
    /// As it arrived. Of a large one, 256 KiB are kept.
    pub body: &'a [u8],
    /// When its consumer gave it up, if that is known.
    pub died_at: Option<DateTime<Utc>>,
}

/// A message that is kept as a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DeadLetterRow {
    /// Its number here.
    pub id: i64,
    /// The queue whose consumer could not handle it.
    pub queue: Option<String>,
    /// Why it could not be handled.
    pub reason: String,
    /// The exchange to which it was published first.
    pub exchange: Option<String>,
    /// The routing key with which it was published first.
    pub routing_key: String,
    /// Its id, as the sender set it.
    pub message_id: Option<String>,
    /// Its type, as the sender set it.
    pub kind: Option<String>,
    /// Its headers.
    pub headers: Value,
    /// The beginning of its body.
    pub body: Vec<u8>,
    /// Length of the whole body in bytes.
    pub body_bytes: i32,
    /// When its consumer gave it up.
    pub died_at: DateTime<Utc>,
    /// When it was published again.
    pub replayed_at: Option<DateTime<Utc>>,
    /// Who had it published again.
    pub replayed_by: Option<String>,
    /// When it was discarded.
    pub discarded_at: Option<DateTime<Utc>>,
    /// Who discarded it.
    pub discarded_by: Option<String>,
}

/// Selects dead letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// With numbers below this one.
    pub before: Option<i64>,
    /// In this state.
    pub state: Option<LetterState>,
}

/// Whether a letter was resolved, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterState {
    /// It was not resolved yet.
    Open,
    /// It was published again.
    Replayed,
    /// An operator decided not to replay it.
    Discarded,
}

impl LetterState {
    /// The state's name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

impl DeadLetterRow {
    /// Whether it was resolved, and how.
    pub fn state(&self) -> LetterState {
        match (self.replayed_at, self.discarded_at) {
            (Some(_), _) => LetterState::Replayed,
            (None, Some(_)) => LetterState::Discarded,
            (None, None) => LetterState::Open,
        }
    }
}

/// Keeps a message as a dead letter. The same message again changes nothing.
pub async fn insert_dead_letter(pool: &PgPool, letter: &NewDeadLetter<'_>) -> Result<()> {
    sqlx::query(
        "-- dead_letters::insert_dead_letter
        INSERT INTO status.dead_letters (fingerprint, queue, reason, exchange, routing_key, message_id, kind, headers,
            body, died_at, body_bytes)
        VALUES (sha256(convert_to($7::jsonb::text, 'UTF8') || $8), $1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, now()), $10)
        ON CONFLICT (fingerprint) DO NOTHING",
    )
    .bind(letter.queue)
    .bind(letter.reason)
    .bind(letter.exchange)
    .bind(letter.routing_key)
    .bind(letter.message_id)
    .bind(letter.kind)
    .bind(letter.headers)
    .bind(&letter.body[..letter.body.len().min(MAX_BODY)])
    .bind(letter.died_at)
    .bind(i32::try_from(letter.body.len()).unwrap_or(i32::MAX))
    .execute(pool)
    .await?;
    Ok(())
}

/// Up to `limit` letters, newest first, with the first `body_bytes` of each body.
pub async fn dead_letters(
    pool: &PgPool,
    filter: LetterFilter,
    limit: i64,
    body_bytes: i32,
) -> Result<Vec<DeadLetterRow>> {
    let rows = sqlx::query_as(
        "-- dead_letters::dead_letters
        SELECT id, queue, reason, exchange, routing_key, message_id, kind, headers, substring(body FOR $3) AS body,
            body_bytes, died_at, replayed_at, replayed_by, discarded_at, discarded_by
        FROM status.dead_letters
        WHERE ($1::bigint IS NULL OR id < $1)
            AND ($4::text IS NULL OR $4 = CASE
                WHEN replayed_at IS NOT NULL THEN 'replayed'
                WHEN discarded_at IS NOT NULL THEN 'discarded'
                ELSE 'open'
            END)
        ORDER BY id DESC
        LIMIT $2",
    )
    .bind(filter.before)
    .bind(limit)
    .bind(body_bytes)
    .bind(filter.state.map(LetterState::as_str))
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// A letter with the first `body_bytes` of its body; `None` when there is no such letter.
pub async fn dead_letter(pool: &PgPool, id: i64, body_bytes: i32) -> Result<Option<DeadLetterRow>> {
    let row = sqlx::query_as(
        "-- dead_letters::dead_letter
        SELECT id, queue, reason, exchange, routing_key, message_id, kind, headers, substring(body FOR $2) AS body,
            body_bytes, died_at, replayed_at, replayed_by, discarded_at, discarded_by
        FROM status.dead_letters
        WHERE id = $1",
    )
    .bind(id)
    .bind(body_bytes)
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// How many letters are neither replayed nor discarded.
pub async fn count_open_dead_letters(pool: &PgPool) -> Result<i64> {
    let (count,) = sqlx::query_as(
        "-- dead_letters::count_open_dead_letters
        SELECT count(*) FROM status.dead_letters WHERE replayed_at IS NULL AND discarded_at IS NULL",
    )
    .fetch_one(pool)
    .await?;
    Ok(count)
}

/// Letters that are deleted at once.
const PRUNED: i64 = 1_000;

/// Deletes letters that are older than `keep`, oldest first.
pub async fn prune_dead_letters(pool: &PgPool, keep: Duration) -> Result<Pruned> {
    let done = sqlx::query(
        "-- dead_letters::prune_dead_letters
        DELETE FROM status.dead_letters
        WHERE id = ANY(ARRAY(SELECT id FROM status.dead_letters ORDER BY id LIMIT $2))
            AND died_at < now() - make_interval(secs => $1)",
    )
    .bind(keep.as_secs_f64())
    .bind(PRUNED)
    .execute(pool)
    .await?;
    Ok(Pruned::of(done.rows_affected(), PRUNED))
}
