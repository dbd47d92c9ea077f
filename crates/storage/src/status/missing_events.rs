//! Events that are in an outbox and not in the log, because the broker has lost them or not delivered them yet.

use domain::values::ids::JobId;

use crate::error::Result;
use crate::outbox::StoredMessage;
use crate::pool::PgPool;

/// A service whose events are projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Upstream {
    /// Writes `trigger.outbox`.
    Trigger,
    /// Writes `market.outbox`.
    Downloader,
    /// Writes `execution.outbox`.
    Executor,
}

impl Upstream {
    /// All of them, in the order in which a job passes through them.
    pub const ALL: [Self; 3] = [Self::Trigger, Self::Downloader, Self::Executor];

    /// The source in the envelopes of its events.
    pub fn source(self) -> &'static str {
        match self {
            Self::Trigger => "/modelday/trigger",
            Self::Downloader => "/modelday/downloader",
            Self::Executor => "/modelday/executor",
        }
    }

    fn statement(self) -> &'static str {
        macro_rules! missing_in {
            ($outbox:literal) => {
                concat!(
                    "-- missing_events::missing_events
                    SELECT o.id, o.event_id, o.kind, o.exchange, o.routing_key, o.job_id, o.traceparent, o.body, o.created_at
                    FROM ", $outbox, " o
                    WHERE o.id > $1 AND o.id <= $2 AND o.exchange = $3
                        AND NOT EXISTS (SELECT FROM status.events e WHERE e.source = $4 AND e.id = o.event_id)
                    ORDER BY o.id"
                )
            };
        }
        match self {
            Self::Trigger => missing_in!("trigger.outbox"),
            Self::Downloader => missing_in!("market.outbox"),
            Self::Executor => missing_in!("execution.outbox"),
        }
    }
}

/// The lowest and the highest id of an outbox; both 0 when it is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxExtent {
    /// The lowest id.
    pub first: i64,
    /// The highest id.
    pub last: i64,
}

/// The extents of the outboxes, in the order of [`Upstream::ALL`].
pub async fn outbox_extents(pool: &PgPool) -> Result<[OutboxExtent; 3]> {
    let ends: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(
        "-- missing_events::outbox_extents
        SELECT (SELECT coalesce(min(id), 0) FROM trigger.outbox), (SELECT coalesce(max(id), 0) FROM trigger.outbox),
            (SELECT coalesce(min(id), 0) FROM market.outbox), (SELECT coalesce(max(id), 0) FROM market.outbox),
            (SELECT coalesce(min(id), 0) FROM execution.outbox), (SELECT coalesce(max(id), 0) FROM execution.outbox)",
    )
    .fetch_one(pool)
    .await?;
    Ok([(ends.0, ends.1), (ends.2, ends.3), (ends.4, ends.5)]
        .map(|(first, last)| OutboxExtent { first, last }))
}

/// The messages of a job, the last of each outbox, that [`log_lacks`] looks for. Copies of a service's events arrive in
/// order, so what is missing stands near the end.
const MAX_LAST: i64 = 5_000;

/// Whether an outbox has an event of `job`, one of the last to `exchange`, that the log lacks.
pub async fn log_lacks(pool: &PgPool, job: JobId, exchange: &str) -> Result<bool> {
    let (lacks,) = sqlx::query_as(
        "-- missing_events::log_lacks
        SELECT EXISTS (
            SELECT FROM (
                (SELECT $3 AS source, event_id, exchange FROM trigger.outbox
                 WHERE job_id = $1 ORDER BY id DESC LIMIT $6)
                UNION ALL
                (SELECT $4, event_id, exchange FROM market.outbox
                 WHERE job_id = $1 ORDER BY id DESC LIMIT $6)
                UNION ALL
                (SELECT $5, event_id, exchange FROM execution.outbox
                 WHERE job_id = $1 ORDER BY id DESC LIMIT $6)
            ) AS sent
            WHERE sent.exchange = $2
                AND NOT EXISTS (
                    SELECT FROM status.events logged
                    WHERE logged.source = sent.source AND logged.id = sent.event_id
                )
        )",
    )
    .bind(job.0)
    .bind(exchange)
    .bind(Upstream::Trigger.source())
    .bind(Upstream::Downloader.source())
    .bind(Upstream::Executor.source())
    .bind(MAX_LAST)
    .fetch_one(pool)
    .await?;
    Ok(lacks)
}

/// Messages to `exchange` in the outbox of `upstream` with ids above `after` up to `until` that the log lacks.
pub async fn missing_events(
    pool: &PgPool,
    upstream: Upstream,
    exchange: &str,
    after: i64,
    until: i64,
) -> Result<Vec<StoredMessage>> {
    let rows = sqlx::query_as(upstream.statement())
        .bind(after)
        .bind(until)
        .bind(exchange)
        .bind(upstream.source())
        .fetch_all(pool)
        .await?;
    Ok(rows)
}
