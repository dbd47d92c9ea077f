//! The outbox: messages that commit together with the state that causes them.
//!
//! Unqualified on purpose: each service's connections find the table of their own schema.

use chrono::{DateTime, Utc};
use domain::values::ids::JobId;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use crate::error::Result;

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
    /// It as it stands in the outbox, with this id, written then.
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
    /// Of a message that was published before: what its envelope said. Absent for messages of the service's own.
    #[sqlx(default, json(nullable))]
    pub original: Option<OriginalEnvelope>,
}

/// What the envelope of an earlier message said that an outbox row has no column for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalEnvelope {
    /// Who said it.
    pub source: String,
    /// What it was about.
    pub subject: Option<String>,
    /// When it was written first.
    pub time: DateTime<Utc>,
    /// Its order within the source.
    pub sequence: i64,
    /// Where its schema is.
    pub dataschema: String,
    /// The job it belongs to, if it said so.
    pub job: Option<Uuid>,
    /// Vendors' part of the trace context.
    pub tracestate: Option<String>,
}

/// Writes messages into the outbox of the connection's service.
///
/// # Errors
/// When Postgres refuses.
pub async fn write(connection: &mut PgConnection, messages: &[NewMessage]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(messages.iter());
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
pub(crate) struct Columns<'a> {
    pub(crate) event_ids: Vec<Uuid>,
    pub(crate) kinds: Vec<&'a str>,
    pub(crate) exchanges: Vec<&'a str>,
    pub(crate) routing_keys: Vec<&'a str>,
    pub(crate) jobs: Vec<Uuid>,
    pub(crate) traceparents: Vec<Option<&'a str>>,
    pub(crate) bodies: Vec<&'a str>,
}

impl<'a> Columns<'a> {
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

/// Which messages of an outbox: each part has a relay of its own, so that one need not wait for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those to this exchange.
    To(&'static str),
    /// All but those to this exchange.
    Beside(&'static str),
}

impl Part {
    /// The exchange, and whether messages to it are meant.
    fn filter(self) -> (&'static str, bool) {
        match self {
            Self::To(exchange) => (exchange, true),
            Self::Beside(exchange) => (exchange, false),
        }
    }
}

/// Which messages of the part `($1, $2)` a relay has to send.
macro_rules! waits {
    () => {
        "sent_at IS NULL AND (exchange = $1) = $2 AND coalesce(relay_from <= now(), true)"
    };
}

/// How long a relay that holds the lock may be silent. Then Postgres takes it for stopped and lets another one on.
const SILENCE: &str = "5s";

/// One relay's connection to the outbox of its service, beside those of the pool: the lock by which one relay of
/// a part works at a time is this connection's, and is free when it is closed.
pub struct RelayConnection {
    connection: PgConnection,
    part: Part,
}

impl RelayConnection {
    /// Connects as the pool does.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn open(pool: &PgPool, part: Part) -> Result<Self> {
        let mut connection = pool.acquire().await?.detach();
        sqlx::query(
            "-- outbox::open
            SELECT set_config('idle_session_timeout', $1, false),
                -- A mark that is lost sends its message again, which is no harm.
                set_config('synchronous_commit', 'off', false)",
        )
        .bind(SILENCE)
        .execute(&mut connection)
        .await?;
        Ok(Self { connection, part })
    }

    /// Reads up to `limit` unsent messages, oldest first, and takes the part's lock if there are any. None also
    /// while another relay has the lock; [`Self::is_waiting`] tells which.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn take(&mut self, limit: usize) -> Result<Vec<StoredMessage>> {
        let (exchange, to_it) = self.part.filter();
        let messages = sqlx::query_as(concat!(
            "-- outbox::take
            WITH relay AS MATERIALIZED (
                SELECT CASE
                    WHEN EXISTS (SELECT FROM outbox WHERE ",
            waits!(),
            ")
                    THEN pg_try_advisory_lock(hashtext('outbox'), hashtext(concat_ws(' ', current_schema(), $1::text, $2::boolean)))
                    ELSE false
                END AS mine
            )
            SELECT id, event_id, kind, exchange, routing_key, job_id, traceparent, body, created_at, original
            FROM outbox
            WHERE ",
            waits!(),
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

    /// Marks what the broker confirmed of the messages taken, and lets the lock go.
    ///
    /// # Errors
    /// When Postgres refuses; the messages are then sent again, once this connection is closed.
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

    /// Whether any message of the part waits. Cheaper than to take none.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn is_waiting(&mut self) -> Result<bool> {
        let (exchange, to_it) = self.part.filter();
        let (waiting,) = sqlx::query_as(concat!(
            "-- outbox::is_waiting
            SELECT EXISTS (SELECT FROM outbox WHERE ",
            waits!(),
            ")"
        ))
        .bind(exchange)
        .bind(to_it)
        .fetch_one(&mut self.connection)
        .await?;
        Ok(waiting)
    }
}

/// Marks messages that were handed to the broker without a [`RelayConnection`], and that it confirmed.
///
/// # Errors
/// When Postgres refuses; the messages are then sent again.
pub async fn mark_sent(pool: &PgPool, ids: &[i64]) -> Result<()> {
    sqlx::query(
        "-- outbox::mark_sent handed
        UPDATE outbox
        SET sent_at = statement_timestamp()
        FROM (SELECT set_config('synchronous_commit', 'off', true) OFFSET 0) AS setting
        WHERE id = ANY($1)",
    )
    .bind(ids)
    .execute(pool)
    .await?;
    Ok(())
}

/// How many messages wait, and since when the oldest does.
///
/// # Errors
/// When Postgres refuses.
pub async fn backlog(pool: &PgPool) -> Result<(i64, Option<DateTime<Utc>>)> {
    let row = sqlx::query_as(
        "-- outbox::backlog\nSELECT count(*), min(created_at) FROM outbox WHERE sent_at IS NULL",
    )
    .fetch_one(pool)
    .await?;
    Ok(row)
}

/// Removes the oldest messages, of those that were sent more than seven days ago; answers how many.
///
/// # Errors
/// When Postgres refuses.
pub async fn prune(pool: &PgPool) -> Result<u64> {
    // The oldest are looked at; no index is kept up to date for what is asked this seldom.
    let done = sqlx::query(
        "-- outbox::prune
        DELETE FROM outbox
        WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT 5000) AND sent_at < now() - interval '7 days'",
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
