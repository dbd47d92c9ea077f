//! Stores dead letters. Every one is stored, even if a part of it must be left out.

use messaging::{DeadLetter, Handler, Outcome};
use serde_json::{Map, Value};
use storage::PgPool;
use storage::status::{NewDeadLetter, insert_dead_letter, refuses_content};

pub(crate) struct DeadLetterStore {
    pub(crate) pool: PgPool,
}

impl Handler<DeadLetter> for DeadLetterStore {
    async fn handle(&self, letter: DeadLetter) -> Outcome {
        let headers =
            letter.headers.iter().map(|(name, value)| (readable(name), Value::String(readable(value))));
        let headers = Value::Object(headers.collect::<Map<_, _>>());
        let kind = letter.envelope.as_ref().map(|envelope| readable(&envelope.kind));
        let (queue, exchange) =
            (letter.queue.as_deref().map(readable), letter.exchange.as_deref().map(readable));
        let (reason, routing_key) = (readable(&letter.reason), readable(&letter.routing_key));
        let message_id = letter.message_id.as_deref().map(readable);
        let row = NewDeadLetter {
            queue: queue.as_deref(),
            reason: &reason,
            exchange: exchange.as_deref(),
            routing_key: &routing_key,
            message_id: message_id.as_deref(),
            kind: kind.as_deref(),
            headers: &headers,
            body: &letter.body,
            died_at: letter.time,
        };
        let stored = match insert_dead_letter(&self.pool, &row).await {
            // A rejected dead letter would come back here, so it is stored without the parts that Postgres refuses.
            Err(error) if refuses_content(&error) => {
                let bare = NewDeadLetter {
                    headers: &Value::Null,
                    died_at: None,
                    message_id: None,
                    kind: None,
                    ..row
                };
                insert_dead_letter(&self.pool, &bare).await
            }
            other => other,
        };
        match stored {
            Ok(()) => {
                metrics::counter!("modelday_dead_letters_total").increment(1);
                Outcome::Done
            }
            Err(error) => Outcome::Retry(error.into()),
        }
    }
}

/// The text without NUL, which Postgres refuses.
fn readable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
