//! Resolving a dead letter: it is replayed or discarded. A replay commits together with the message in the outbox.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::dead_letters::DeadLetterRow;
use crate::error::Result;
use crate::outbox::OriginalEnvelope;
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// A message that is to be published again, with the envelope that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Its identity, as before.
    pub event_id: Uuid,
    /// Its type.
    pub kind: String,
    /// Where it is published.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// W3C trace context of its creation.
    pub traceparent: Option<String>,
    /// As it was.
    pub body: String,
    /// The rest of its envelope.
    pub original: OriginalEnvelope,
}

/// A locked letter, which no other request can resolve meanwhile.
pub struct LockedLetter {
    transaction: Transaction,
    /// The letter, with its whole body.
    pub letter: DeadLetterRow,
}

/// Locks a letter; `None` when there is no such letter.
pub async fn lock_dead_letter(pool: &PgPool, id: i64) -> Result<Option<LockedLetter>> {
    let mut transaction = pool.begin().await?;
    let letter = sqlx::query_as(
        "-- replays::lock_dead_letter
        SELECT id, queue, reason, exchange, routing_key, message_id, kind, headers, body,
            body_bytes, died_at, replayed_at, replayed_by, discarded_at, discarded_by
        FROM status.dead_letters
        WHERE id = $1
        FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(letter.map(|letter| LockedLetter { transaction, letter }))
}

impl LockedLetter {
    /// Writes the letter's message into the outbox, and the time and who wants it into its row.
    pub async fn replay(mut self, message: &Replay, by: &str) -> Result<DeadLetterRow> {
        sqlx::query(
            "-- replays::replay
            INSERT INTO status.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body, original)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(message.event_id)
        .bind(&message.kind)
        .bind(&message.exchange)
        .bind(&message.routing_key)
        .bind(message.original.job.unwrap_or_default())
        .bind(&message.traceparent)
        .bind(&message.body)
        .bind(Json(&message.original))
        .execute(&mut *self.transaction)
        .await?;
        let (at,): (DateTime<Utc>,) = sqlx::query_as(
            "-- replays::replayed
            UPDATE status.dead_letters SET replayed_at = now(), replayed_by = $2 WHERE id = $1 RETURNING replayed_at",
        )
        .bind(self.letter.id)
        .bind(by)
        .fetch_one(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(DeadLetterRow { replayed_at: Some(at), replayed_by: Some(by.to_owned()), ..self.letter })
    }

    /// Marks the letter as discarded.
    pub async fn discard(mut self, by: &str) -> Result<DeadLetterRow> {
        let (at,): (DateTime<Utc>,) = sqlx::query_as(
            "-- replays::discard
            UPDATE status.dead_letters SET discarded_at = now(), discarded_by = $2 WHERE id = $1 RETURNING discarded_at",
        )
        .bind(self.letter.id)
        .bind(by)
        .fetch_one(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(DeadLetterRow { discarded_at: Some(at), discarded_by: Some(by.to_owned()), ..self.letter })
    }
}
