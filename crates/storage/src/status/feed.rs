//! The event log as streams and pages read it: by position among all events, or by number within a job.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use domain::job::JobState;
use domain::values::ids::JobId;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::connect::Database;
use crate::error::Result;

/// What `status.feed` announces on.
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
    /// Who says it; unique together with `id`.
    pub source: String,
    /// Its identity within the source.
    pub id: Uuid,
    /// Its type.
    pub kind: String,
    /// When its producer wrote it.
    pub occurred_at: DateTime<Utc>,
    /// W3C trace context of its creation.
    pub traceparent: Option<String>,
    /// The body as it was sent.
    pub body: String,
    /// Whether it was the last one of a job that is shown as ended when it was read.
    pub ends_job: bool,
}

/// How far the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The position of the last event of all; 0 without any.
    pub last_position: i64,
    /// The number of the job's last event; 0 without any.
    pub last_seq: i64,
    /// Whether the job is shown as ended.
    pub ended: bool,
}

/// The position of the last event; 0 without any.
///
/// # Errors
/// When Postgres refuses.
pub async fn last_position(pool: &PgPool) -> Result<i64> {
    let (position,) = sqlx::query_as(
        "-- feed::last_position\nSELECT coalesce((SELECT last_position FROM status.feed WHERE id = 1), 0)",
    )
    .fetch_one(pool)
    .await?;
    Ok(position)
}

/// How far the log of `job` is; `None` when nobody knows the job.
///
/// # Errors
/// When Postgres refuses.
pub async fn standing(pool: &PgPool, job: JobId) -> Result<Option<Standing>> {
    let row: Option<(i64, i64, bool)> = sqlx::query_as(
        "-- feed::standing
        SELECT coalesce((SELECT last_position FROM status.feed WHERE id = 1), 0), coalesce(job.last_seq, 0),
            coalesce(job.state = ANY($2), false)
        FROM (VALUES ($1::uuid)) AS wanted (id)
        LEFT JOIN status.jobs job ON job.id = wanted.id
        WHERE job.id IS NOT NULL OR EXISTS (SELECT FROM trigger.jobs accepted WHERE accepted.id = wanted.id)",
    )
    .bind(job.0)
    .bind(ended_states())
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(last_position, last_seq, ended)| Standing { last_position, last_seq, ended }))
}

/// Up to `limit` events with positions above `after`, in order.
///
/// # Errors
/// When Postgres refuses.
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
///
/// # Errors
/// When Postgres refuses.
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

fn ended_states() -> Vec<&'static str> {
    use JobState::{Cancelled, Completed, Failed, Partial};
    [Completed, Partial, Failed, Cancelled].map(JobState::as_str).to_vec()
}

/// Tells when projections have committed, whichever process they ran in. Holds a connection of its own, so that
/// none is missing from the pool.
pub struct Announcements(PgListener);

impl Announcements {
    /// Listens from here on.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn listen(database: &Database) -> Result<Self> {
        let options = PgConnectOptions::from_str(&database.url)?.application_name("modelday-status-streams");
        let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let mut listener = PgListener::connect_with(&pool.connect_with(options).await?).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Waits until something has committed, or until a connection that was lost is back and something may have.
    ///
    /// # Errors
    /// When the connection is lost and does not come back.
    pub async fn next(&mut self) -> Result<()> {
        self.0.try_recv().await?;
        Ok(())
    }
}
