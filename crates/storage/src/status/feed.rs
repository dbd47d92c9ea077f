//! The event log as streams and pages read it: by position among all events, or by number within a job.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::job::JobState;
use domain::values::ids::JobId;
use sqlx::FromRow;
use sqlx_postgres::{PgListener, PgPoolOptions};
use tokio::time::timeout;
use uuid::Uuid;

use crate::connect::Database;
use crate::error::Result;
use crate::pool::PgPool;
use crate::servers::Servers;

/// The channel that the trigger of `status.feed` notifies.
const CHANNEL: &str = "modelday_events";

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FeedEvent {
    /// Its place among all events: the order in which they became visible, without gaps, from 1.
    pub position: i64,
    /// Its job.
    pub job_id: Uuid,
    /// Its number within the job, without gaps, from 1.
    pub seq: i64,
    /// The service that published it; unique together with `id`.
    pub source: String,
    /// Its identity within the source.
    pub id: Uuid,
    /// Its type.
    pub kind: String,
    /// When its producer created it.
    pub occurred_at: DateTime<Utc>,
    /// W3C trace context of its creation.
    pub traceparent: Option<String>,
    /// The body as it was sent.
    pub body: String,
    /// Whether it was the last event of its job, and the job was shown as ended, when it was read.
    pub ends_job: bool,
}

/// How far the event log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// The position of the last event of all; 0 without any.
    pub last_position: i64,
    /// The number of the job's last event; 0 without any.
    pub last_seq: i64,
    /// Whether the job is shown as ended.
    pub ended: bool,
}

/// The position of the last event; 0 without any.
pub async fn last_position(pool: &PgPool) -> Result<i64> {
    let (position,) = sqlx::query_as(
        "-- feed::last_position\nSELECT coalesce((SELECT last_position FROM status.feed WHERE id = 1), 0)",
    )
    .fetch_one(pool)
    .await?;
    Ok(position)
}

/// How far the log of `job` goes; `None` when there is no such job.
pub async fn log_end(pool: &PgPool, job: JobId) -> Result<Option<LogEnd>> {
    let row: Option<(i64, i64, bool)> = sqlx::query_as(
        "-- feed::log_end
        SELECT coalesce((SELECT last_position FROM status.feed WHERE id = 1), 0), coalesce(job.last_seq, 0),
            coalesce(job.state = ANY($2), false)
        FROM (VALUES ($1::uuid)) AS given (id)
        LEFT JOIN status.jobs job ON job.id = given.id
        WHERE job.id IS NOT NULL OR EXISTS (SELECT FROM trigger.jobs accepted WHERE accepted.id = given.id)",
    )
    .bind(job.0)
    .bind(ended_states())
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(last_position, last_seq, ended)| LogEnd { last_position, last_seq, ended }))
}

/// Up to `limit` events with positions above `after`, in order.
pub async fn events_after(pool: &PgPool, after: i64, limit: i64) -> Result<Vec<FeedEvent>> {
    let rows = sqlx::query_as(
        "-- feed::events_after
        SELECT event.position, event.job_id, event.seq, event.source, event.id, event.kind, event.occurred_at,
            event.traceparent, event.body, job.last_seq = event.seq AND job.state = ANY($3) AS ends_job
        FROM status.events event
        JOIN status.jobs job ON job.id = event.job_id
        WHERE event.position > $1
        ORDER BY event.position
        LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .bind(ended_states())
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// Up to `limit` events of `job` with numbers above `after`, in order.
pub async fn job_events_after(pool: &PgPool, job: JobId, after: i64, limit: i64) -> Result<Vec<FeedEvent>> {
    let rows = sqlx::query_as(
        "-- feed::job_events_after
        SELECT event.position, event.job_id, event.seq, event.source, event.id, event.kind, event.occurred_at,
            event.traceparent, event.body, job.last_seq = event.seq AND job.state = ANY($4) AS ends_job
        FROM status.events event
        JOIN status.jobs job ON job.id = event.job_id
        WHERE event.job_id = $1 AND event.seq > $2
        ORDER BY event.seq
        LIMIT $3",
    )
    .bind(job.0)
    .bind(after)
    .bind(limit)
    .bind(ended_states())
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) fn ended_states() -> Vec<&'static str> {
    use JobState::{Cancelled, Completed, Failed, Partial};
    [Completed, Partial, Failed, Cancelled].map(JobState::as_str).to_vec()
}

/// Without a notification for so long, the connection is tested.
const TESTED_AFTER: Duration = Duration::from_secs(5);
/// How long connecting again to the same server may take.
const MAX_RECONNECT: Duration = Duration::from_secs(2);
/// How long connecting, listening and a test may take.
const MAX_ANSWER: Duration = Duration::from_secs(5);

/// Notifications of committed projections, of all processes. They have a connection of their own, so that the pool keeps
/// all of its connections.
pub struct EventNotifications(PgListener);

impl EventNotifications {
    /// Listens from here on.
    pub async fn listen(database: &Database) -> Result<Self> {
        let servers = Servers::of(&database.url)?;
        let servers = servers.map(|server| server.application_name("modelday-status-streams"));
        let listening = async {
            let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
            // A listener connects again by itself, to the same server. When that is away, another one is looked for.
            let pool = pool.acquire_timeout(MAX_RECONNECT).connect_lazy_with(servers.primary().await?);
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            Ok(Self(listener))
        };
        answered(listening).await
    }

    /// Waits until a projection has committed, or may have while the connection was lost; at most five seconds.
    ///
    /// # Errors
    /// When the connection is lost and does not come back.
    pub async fn next(&mut self) -> Result<()> {
        if let Ok(received) = timeout(TESTED_AFTER, self.0.try_recv()).await {
            received?;
            return Ok(());
        }
        // Nothing was said for a while. If the server is gone, that may be why.
        let test = async { Ok(sqlx::query("-- feed::next\nSELECT").execute(&mut self.0).await?) };
        answered(test).await?;
        Ok(())
    }
}

async fn answered<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(MAX_ANSWER, answer).await.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()))
}
