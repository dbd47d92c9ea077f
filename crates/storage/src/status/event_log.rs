//! The event log: each event once, with its job's next number and the next position among all.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::values::ids::JobId;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::projection::Received;
use crate::error::Result;

/// What a trace context says about its trace: the second part of `traceparent`.
pub(super) fn trace_id(traceparent: Option<&str>) -> Option<&str> {
    traceparent?.split('-').nth(1)
}

/// Appends those of `received` that the log lacks, in order, and answers their numbers by source and id.
/// Their jobs are locked by the caller, so that nobody else numbers them meanwhile; `status.feed` is locked after
/// them by all, so that nobody waits in a circle.
pub(super) async fn append(
    connection: &mut PgConnection,
    received: &[&Received<'_>],
) -> Result<HashMap<(String, Uuid), i64>> {
    let rows: Vec<(String, Uuid, i64)> = sqlx::query_as(
        "-- event_log::append
        WITH fresh AS MATERIALIZED (
            SELECT given.source, given.id, given.job_id,
                job.last_seq + row_number() OVER (PARTITION BY given.job_id ORDER BY given.place) AS seq,
                given.kind, given.occurred_at, given.traceparent, given.body,
                row_number() OVER (ORDER BY given.place) AS nth
            FROM UNNEST($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
                WITH ORDINALITY AS given (source, id, job_id, kind, occurred_at, traceparent, body, place)
            JOIN status.jobs job ON job.id = given.job_id
            -- Not an EXISTS, which may be planned as a join with the whole log.
            WHERE coalesce((SELECT false FROM status.events known
                            WHERE known.source = given.source AND known.id = given.id), true)
        ), feed AS (
            -- Holds the row to the end of the transaction: positions become visible in their order.
            INSERT INTO status.feed AS feed (last_position)
            SELECT count(*) FROM fresh HAVING count(*) > 0
            ON CONFLICT (id) DO UPDATE SET last_position = feed.last_position + EXCLUDED.last_position
            RETURNING last_position
        )
        INSERT INTO status.events (source, id, job_id, seq, position, kind, occurred_at, traceparent, body)
        SELECT fresh.source, fresh.id, fresh.job_id, fresh.seq,
            feed.last_position - (SELECT count(*) FROM fresh) + fresh.nth,
            fresh.kind, fresh.occurred_at, fresh.traceparent, fresh.body
        FROM fresh CROSS JOIN feed
        RETURNING source, id, seq",
    )
    .bind(received.iter().map(|event| event.source).collect::<Vec<_>>())
    .bind(received.iter().map(|event| event.id).collect::<Vec<_>>())
    .bind(received.iter().map(|event| event.event.job().0).collect::<Vec<_>>())
    .bind(received.iter().map(|event| event.kind).collect::<Vec<_>>())
    .bind(received.iter().map(|event| event.at).collect::<Vec<_>>())
    .bind(received.iter().map(|event| event.traceparent).collect::<Vec<_>>())
    .bind(received.iter().map(|event| event.body).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(source, id, seq)| ((source, id), seq)).collect())
}

/// An event as it stands in the log.
#[derive(Debug, FromRow)]
pub(super) struct LoggedEvent {
    pub(super) source: String,
    pub(super) id: Uuid,
    pub(super) seq: i64,
    pub(super) kind: String,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) traceparent: Option<String>,
    pub(super) body: String,
}

/// Up to `limit` events of `job` with numbers above `after`, in order.
pub(super) async fn page(
    connection: &mut PgConnection,
    job: JobId,
    after: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>> {
    let rows = sqlx::query_as(
        "-- event_log::page
        SELECT source, id, seq, kind, occurred_at, traceparent, body
        FROM status.events
        WHERE job_id = $1 AND seq > $2
        ORDER BY seq
        LIMIT $3",
    )
    .bind(job.0)
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}
