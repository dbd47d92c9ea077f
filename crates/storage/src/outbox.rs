//! The outbox: messages that commit together with the state that causes them.
//!
//! The table has no schema in these statements: by its search path, the connection of each service finds its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::values::ids::JobId;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;
use crate::retention::Pruned;
use crate::sql::without_waiting_if;

/// A message to be sent once the transaction it is written in commits.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Identity of the message; consumers de-duplicate by it.
    pub event_id: Uuid,
    /// Its type.
    pub kind: &'static str,
    /// Where it is published.
    pub exchange: &'static str,
    /// With which routing key.
    pub routing_key: &'static str,
    /// The job it is about.
    pub job: JobId,
    /// W3C trace context of the cause.
    pub traceparent: Option<String>,
    /// ProtoJSON.
    pub body: String,
}

impl NewMessage {
    /// The same message as a row of the outbox.
    pub(crate) fn stored(&self, id: i64, created_at: DateTime<Utc>) -> StoredMessage {
        StoredMessage {
            id,
            event_id: self.event_id,
            kind: self.kind.to_owned(),
            exchange: self.exchange.to_owned(),
            routing_key: self.routing_key.to_owned(),
            job_id: self.job.0,
            traceparent: self.traceparent.clone(),
            body: self.body.clone(),
            created_at,
            original: None,
        }
    }
}

/// A message as it stands in an outbox.
#[derive(Debug, Clone, FromRow)]
pub struct StoredMessage {
    /// Order within one outbox.
    pub id: i64,
    /// Identity of the message.
    pub event_id: Uuid,
    /// Its type.
    pub kind: String,
    /// Where it is published.
    pub exchange: String,
    /// With which routing key.
    pub routing_key: String,
    /// The job it is about.
    pub job_id: Uuid,
    /// W3C trace context of the cause.
    pub traceparent: Option<String>,
    /// ProtoJSON.
    pub body: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// The envelope of a message that was published before; `None` for a new message.
    #[sqlx(default, json(nullable))]
    pub original: Option<OriginalEnvelope>,
}

/// The fields of an earlier message's envelope for which the outbox has no columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalEnvelope {
    /// The service that published it first.
    pub source: String,
    /// Its subject.
    pub subject: Option<String>,
    /// When it was written first.
    pub time: DateTime<Utc>,
    /// Its order within the source.
    pub sequence: i64,
    /// Where its schema is.
    pub dataschema: String,
    /// The job it belongs to, if it named one.
    pub job: Option<Uuid>,
    /// `tracestate` of the W3C trace context.
    pub tracestate: Option<String>,
    /// The routing key that it was published with first.
    #[serde(default)]
    pub routing_key: String,
    /// Its signature.
    #[serde(default)]
    pub signature: Option<String>,
}

/// Writes messages into the outbox of the connection's service.
pub async fn write(connection: &mut Connection, messages: &[NewMessage]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let columns = MessageColumns::of(messages.iter());
    sqlx::query(
        "-- outbox::write
        INSERT INTO outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
        SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[])",
    )
    .bind(columns.event_ids)
    .bind(columns.kinds)
    .bind(columns.exchanges)
    .bind(columns.routing_keys)
    .bind(columns.jobs)
    .bind(columns.traceparents)
    .bind(columns.bodies)
    .execute(connection)
    .await?;
    Ok(())
}

/// Messages by column, as `UNNEST` takes them.
#[derive(Default)]
pub(crate) struct MessageColumns<'a> {
    pub(crate) event_ids: Vec<Uuid>,
    pub(crate) kinds: Vec<&'a str>,
    pub(crate) exchanges: Vec<&'a str>,
    pub(crate) routing_keys: Vec<&'a str>,
    pub(crate) jobs: Vec<Uuid>,
    pub(crate) traceparents: Vec<Option<&'a str>>,
    pub(crate) bodies: Vec<&'a str>,
}

impl<'a> MessageColumns<'a> {
    pub(crate) fn of(messages: impl Iterator<Item = &'a NewMessage>) -> Self {
        let mut columns = Self::default();
        for message in messages {
            columns.event_ids.push(message.event_id);
            columns.kinds.push(message.kind);
            columns.exchanges.push(message.exchange);
            columns.routing_keys.push(message.routing_key);
            columns.jobs.push(message.job.0);
            columns.traceparents.push(message.traceparent.as_deref());
            columns.bodies.push(message.body.as_str());
        }
        columns
    }
}

/// A part of an outbox. Each part has a relay of its own, so that commands do not wait for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those to this exchange.
    To(&'static str),
    /// All except those to this exchange.
    Except(&'static str),
}

impl Part {
    /// The exchange, and whether messages to it are meant.
    fn filter(self) -> (&'static str, bool) {
        match self {
            Self::To(exchange) => (exchange, true),
            Self::Except(exchange) => (exchange, false),
        }
    }
}

/// The condition of messages that the relay of the part `($1, $2)` has to publish.
macro_rules! is_due {
    () => {
        "sent_at IS NULL AND (exchange = $1) = $2 AND coalesce(relay_from <= now(), true)"
    };
}

/// After so much silence Postgres closes the connection of a relay, so that another relay can take its lock.
const MAX_SILENCE: &str = "5s";

/// A relay's connection to the outbox of its service, beside those of the pool. It holds the advisory lock that lets one
/// relay of a part work at a time; closing it releases the lock.
pub struct RelayConnection {
    connection: Connection,
    part: Part,
}

impl RelayConnection {
    /// Connects as the pool does.
    pub async fn open(pool: &PgPool, part: Part) -> Result<Self> {
        let mut connection = pool.open().await?;
        sqlx::query(
            "-- outbox::open
            SELECT set_config('idle_session_timeout', $1, false),
                -- A mark that is lost in a crash publishes its message again, which consumers tolerate.
                set_config('synchronous_commit', 'off', false)",
        )
        .bind(MAX_SILENCE)
        .execute(&mut connection)
        .await?;
        Ok(Self { connection, part })
    }

    /// Reads up to `limit` unsent messages, oldest first, and takes the part's lock if there are any. Empty also while
    /// another relay has the lock; [`Self::is_waiting`] distinguishes the two.
    pub async fn take(&mut self, limit: usize) -> Result<Vec<StoredMessage>> {
        let (exchange, to_it) = self.part.filter();
        let messages = sqlx::query_as(concat!(
            "-- outbox::take
            WITH relay AS MATERIALIZED (
                SELECT CASE
                    WHEN EXISTS (SELECT FROM outbox WHERE ",
            is_due!(),
            ")
                    THEN pg_try_advisory_lock(hashtext('outbox'), hashtext(concat_ws(' ', current_schema(), $1::text, $2::boolean)))
                    ELSE false
                END AS mine
            )
            SELECT id, event_id, kind, exchange, routing_key, job_id, traceparent, body, created_at, original
            FROM outbox
            WHERE ",
            is_due!(),
            " AND (SELECT mine FROM relay)
            ORDER BY id
            LIMIT $3",
        ))
        .bind(exchange)
        .bind(to_it)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut self.connection)
        .await?;
        Ok(messages)
    }

    /// Marks those of the messages taken that the broker confirmed, and releases the lock.
    ///
    /// # Errors
    /// After any error the messages are published again, once this connection is closed.
    pub async fn mark_sent(&mut self, ids: &[i64]) -> Result<()> {
        let (exchange, to_it) = self.part.filter();
        sqlx::query(
            "-- outbox::mark_sent
            WITH sent AS (
                UPDATE outbox SET sent_at = statement_timestamp() WHERE id = ANY($3) RETURNING id
            )
            SELECT pg_advisory_unlock(hashtext('outbox'), hashtext(concat_ws(' ', current_schema(), $1::text, $2::boolean)))
            FROM (SELECT count(*) FROM sent) AS all_of_them",
        )
        .bind(exchange)
        .bind(to_it)
        .bind(ids)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Whether any message of the part waits. Cheaper than [`Self::take`].
    pub async fn is_waiting(&mut self) -> Result<bool> {
        let (exchange, to_it) = self.part.filter();
        let (waiting,) = sqlx::query_as(concat!(
            "-- outbox::is_waiting
            SELECT EXISTS (SELECT FROM outbox WHERE ",
            is_due!(),
            ")"
        ))
        .bind(exchange)
        .bind(to_it)
        .fetch_one(&mut self.connection)
        .await?;
        Ok(waiting)
    }
}

/// Marks messages that were published without a [`RelayConnection`] and that the broker confirmed.
///
/// # Errors
/// After any error the messages are published again.
pub async fn mark_sent(pool: &PgPool, ids: &[i64]) -> Result<()> {
    sqlx::query(concat!(
        "-- outbox::mark_sent directly
        UPDATE outbox
        SET sent_at = statement_timestamp()
        FROM ",
        without_waiting_if!("true"),
        "
        WHERE id = ANY($1)",
    ))
    .bind(ids)
    .execute(pool)
    .await?;
    Ok(())
}

/// What waits in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Backlog {
    /// How many messages.
    pub depth: i64,
    /// For how long the oldest of them has waited; 0 without any.
    pub age_seconds: i64,
}

/// What waits in the outbox.
pub async fn backlog(pool: &PgPool) -> Result<Backlog> {
    let backlog = sqlx::query_as(
        "-- outbox::backlog
        SELECT count(*) AS depth,
            greatest(coalesce(extract(epoch FROM now() - min(created_at)), 0), 0)::bigint AS age_seconds
        FROM outbox
        WHERE sent_at IS NULL",
    )
    .fetch_one(pool)
    .await?;
    Ok(backlog)
}

/// Rows that a deletion of old messages deletes at most.
const PRUNED: i64 = 5_000;

/// Deletes messages that were published longer than `keep` ago, oldest first, unless another process is deleting them.
pub async fn prune(pool: &PgPool, keep: Duration) -> Result<Pruned> {
    // The oldest rows come first by id, so an index on `sent_at`, which every message would have to update, is not
    // needed. Twice as many rows are looked at as are deleted, so that some unsent ones in front do not end it.
    let done = sqlx::query(
        "-- outbox::prune
        WITH turn AS MATERIALIZED (
            SELECT pg_try_advisory_xact_lock(hashtext('outbox::prune'), hashtext(current_schema())) AS mine
        )
        DELETE FROM outbox
        WHERE ctid = ANY(ARRAY(
            SELECT ctid
            FROM (SELECT ctid, sent_at FROM outbox ORDER BY id LIMIT $2::bigint * 2) oldest
            WHERE sent_at < now() - make_interval(secs => $1) AND (SELECT mine FROM turn)
            LIMIT $2
        ))",
    )
    .bind(keep.as_secs_f64())
    .bind(PRUNED)
    .execute(pool)
    .await?;
    Ok(Pruned::of(done.rows_affected(), PRUNED))
}
