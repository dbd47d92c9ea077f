//! Settling a dead letter: it is sent again, or let go. What becomes of it commits together with the message.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::dead_letters::DeadLetterRow;
use crate::error::Result;
use crate::outbox::OriginalEnvelope;

/// A message that is to be sent again, with the envelope it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Its identity, as before.
    pub event_id: Uuid,
    /// Its type.
    pub kind: String,
    /// Where it is published.
    pub exchange: String,
    /// With which routing key.
    pub routing_key: String,
    /// W3C trace context of its creation.
    pub traceparent: Option<String>,
    /// As it was.
    pub body: String,
    /// The rest of its envelope.
    pub original: OriginalEnvelope,
}

/// A letter that nobody else settles meanwhile.
pub struct HeldLetter {
    transaction: Transaction<'static, Postgres>,
    /// The letter, with its whole body.
    pub letter: DeadLetterRow,
}

/// Holds a letter; `None` when there is no such letter.
///
/// # Errors
/// When Postgres refuses.
pub async fn hold_dead_letter(pool: &PgPool, id: i64) -> Result<Option<HeldLetter>> {
    let mut transaction = pool.begin().await?;
    let letter = sqlx::query_as(
        "-- replays::hold_dead_letter
        SELECT id, queue, reason, exchange, routing_key, message_id, kind, headers, body,
            octet_length(body) AS body_bytes, died_at, replayed_at, discarded_at
        FROM status.dead_letters
        WHERE id = $1
        FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(letter.map(|letter| HeldLetter { transaction, letter }))
}

impl HeldLetter {
    /// Puts the letter's message into the outbox and notes when.
    ///
    /// # Errors
    /// When Postgres refuses; nothing has changed then.
    pub async fn replay(mut self, message: &Replay) -> Result<DeadLetterRow> {
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
            "-- replays::replayed\nUPDATE status.dead_letters SET replayed_at = now() WHERE id = $1 RETURNING replayed_at",
        )
        .bind(self.letter.id)
        .fetch_one(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(DeadLetterRow { replayed_at: Some(at), ..self.letter })
    }

    /// Notes that nobody will see to it.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn discard(mut self) -> Result<DeadLetterRow> {
        let (at,): (DateTime<Utc>,) = sqlx::query_as(
            "-- replays::discard\nUPDATE status.dead_letters SET discarded_at = now() WHERE id = $1 RETURNING discarded_at",
        )
        .bind(self.letter.id)
        .fetch_one(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(DeadLetterRow { discarded_at: Some(at), ..self.letter })
    }
}
