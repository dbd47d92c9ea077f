//! The event log: each event once, with its job's next number and the next position among all.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::events::event::Event;
use domain::values::ids::JobId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Result;

/// An event with its envelope.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedEvent<'a> {
    /// The service that published it; unique together with `id`.
    pub source: &'a str,
    /// Its identity within the source.
    pub id: Uuid,
    /// Its type.
    pub kind: &'a str,
    /// When its producer created it.
    pub at: DateTime<Utc>,
    /// W3C trace context of its creation.
    pub traceparent: Option<&'a str>,
    /// The body as it was sent.
    pub body: &'a str,
    /// The decoded body.
    pub event: &'a Event,
}

/// The trace id of a trace context: the second part of `traceparent`.
pub(super) fn trace_id(traceparent: Option<&str>) -> Option<&str> {
    traceparent?.split('-').nth(1)
}

/// Appends those of `received` that the log lacks, in order, and returns their numbers by source and id.
///
/// The caller has locked their jobs, so that no other transaction gives numbers for them. Every transaction locks
/// `status.feed` after the jobs, so that there is no deadlock.
pub(super) async fn append(
    connection: &mut Connection,
    received: &[&ReceivedEvent<'_>],
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
            -- A subquery instead of EXISTS, which PostgreSQL may plan as a join with the whole log.
            WHERE coalesce((SELECT false FROM status.events known
                            WHERE known.source = given.source AND known.id = given.id), true)
        ), feed AS (
            -- The row stays locked to the end of the transaction, so that positions become visible in their order.
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

/// A row of the log.
#[derive(Debug, FromRow)]
pub(super) struct EventRow {
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
    connection: &mut Connection,
    job: JobId,
    after: i64,
    limit: i64,
) -> Result<Vec<EventRow>> {
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
