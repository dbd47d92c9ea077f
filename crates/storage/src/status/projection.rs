//! Projecting a batch of events: one transaction, a handful of statements however large the batch.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use domain::events::event::Event;
use domain::events::job_view::days::{DayFacts, facts};
use domain::events::job_view::{JobView, Occurrence, fold};
use domain::values::ids::JobId;
use sqlx::types::Json;
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::chains::{self, Changes};
use super::event_log::{self, trace_id};
use super::job_views::Counts;
use super::model_days::{self, EventRef};
use crate::error::{Result, StorageError};

/// An event with its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Who says it; unique together with `id`.
    pub source: &'a str,
    /// Its identity within the source.
    pub id: Uuid,
    /// Its type.
    pub kind: &'a str,
    /// When its producer wrote it.
    pub at: DateTime<Utc>,
    /// W3C trace context of its creation.
    pub traceparent: Option<&'a str>,
    /// The body as it was sent.
    pub body: &'a str,
    /// What the body says.
    pub event: &'a Event,
}

/// What a projection came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projected {
    /// Events that were new, in the order of their numbers within each job.
    pub logged: Vec<Logged>,
    /// Places of events whose job nobody has accepted. They are not stored.
    pub unknown: Vec<usize>,
}

/// An event that was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// Its place in the batch.
    pub place: usize,
    /// Its job.
    pub job: JobId,
    /// Its number within the job, from 1, without gaps.
    pub seq: i64,
}

/// Logs the events that are new and brings the read model up to date with them. Any event may be given any
/// number of times, in any order, by any number of processes at once.
///
/// # Errors
/// When Postgres refuses; nothing is stored then. See [`refuses_content`].
pub async fn project(pool: &PgPool, received: &[Received<'_>]) -> Result<Projected> {
    let ids: BTreeSet<JobId> = received.iter().map(|event| event.event.job()).collect();
    let Some((mut transaction, mut jobs)) = lock(pool, &ids).await? else {
        return Ok(Projected { logged: Vec::new(), unknown: (0..received.len()).collect() });
    };

    let mut once = HashSet::new();
    let wanted: Vec<&Received<'_>> = received
        .iter()
        .filter(|event| jobs.contains_key(&event.event.job()) && once.insert((event.source, event.id)))
        .collect();
    let mut numbers = event_log::append(&mut transaction, &wanted).await?;

    let mut projected = Projected::default();
    let mut days = DayFacts::default();
    for (place, event) in received.iter().enumerate() {
        let id = event.event.job();
        let Some(job) = jobs.get_mut(&id) else {
            projected.unknown.push(place);
            continue;
        };
        let Some(seq) = numbers.remove(&(event.source.to_owned(), event.id)) else { continue };
        projected.logged.push(Logged { place, job: id, seq });
        job.add(event.event, event.at, event.traceparent);
        job.last_seq = job.last_seq.max(seq);
        for fact in facts(event.event) {
            days.add(fact, EventRef { source: event.source, id: event.id });
        }
    }
    if projected.logged.is_empty() {
        transaction.rollback().await?;
        return Ok(projected);
    }
    for (id, ended) in model_days::upsert(&mut transaction, &days).await? {
        if let Some(job) = jobs.get_mut(&id) {
            job.counts.add(ended);
        }
    }
    let changes = Changes::of(days.iter().map(|(fact, _)| fact));
    chains::follow(&mut transaction, &changes).await?;
    store(&mut transaction, &jobs).await?;
    transaction.commit().await?;
    Ok(projected)
}

/// Whether `error` is about the content of what was to be stored, so that trying again is no use.
pub fn refuses_content(error: &StorageError) -> bool {
    match error {
        StorageError::Database(sqlx::Error::Database(error)) => {
            // Data exception, integrity violation, program limit exceeded.
            error.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
        }
        StorageError::Database(sqlx::Error::Encode(_)) => true,
        _ => false,
    }
}

/// A job's row under lock, with what a batch adds to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LockedJob {
    pub(super) view: JobView,
    pub(super) counts: Counts,
    pub(super) last_seq: i64,
    /// The view as it stands in the row.
    stored: JobView,
}

impl LockedJob {
    pub(super) fn add(&mut self, event: &Event, at: DateTime<Utc>, traceparent: Option<&str>) {
        fold(&mut self.view, &Occurrence { event, at, trace_id: trace_id(traceparent) });
    }

    /// Forgets everything but the number of events.
    pub(super) fn forget(&mut self) {
        self.view = JobView::default();
        self.counts = Counts::default();
    }
}

pub(super) type LockedJobs = BTreeMap<JobId, LockedJob>;

type JobColumns = (Uuid, Json<JobView>, i64, i32, i32, i32);

/// Locks the rows of `ids` in order, making rows for jobs that trigger has accepted and nobody projected
/// yet. Jobs nobody knows are missing from the answer; `None` when all are.
pub(super) async fn lock(
    pool: &PgPool,
    ids: &BTreeSet<JobId>,
) -> Result<Option<(Transaction<'static, Postgres>, LockedJobs)>> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut transaction = pool.begin().await?;
    let mut jobs = locked(&mut transaction, &wanted).await?;
    if jobs.len() < ids.len() {
        transaction.rollback().await?;
        // In a commit of its own: inserting while holding locks could wait in a circle with another projector.
        sqlx::query(
            "-- projection::lock stubs
            INSERT INTO status.jobs (id)
            SELECT id FROM trigger.jobs WHERE id = ANY($1) ORDER BY id
            ON CONFLICT (id) DO NOTHING",
        )
        .bind(&wanted)
        .execute(pool)
        .await?;
        transaction = pool.begin().await?;
        jobs = locked(&mut transaction, &wanted).await?;
    }
    if jobs.is_empty() {
        transaction.rollback().await?;
        return Ok(None);
    }
    Ok(Some((transaction, jobs)))
}

async fn locked(transaction: &mut Transaction<'static, Postgres>, ids: &[Uuid]) -> Result<LockedJobs> {
    let rows: Vec<JobColumns> = sqlx::query_as(
        "-- projection::lock
        SELECT id, view, last_seq, completed, failed, skipped
        FROM status.jobs
        WHERE id = ANY($1)
        ORDER BY id
        FOR UPDATE",
    )
    .bind(ids)
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, Json(view), last_seq, completed, failed, skipped)| {
            let counts = Counts::from_columns(completed, failed, skipped);
            (JobId(id), LockedJob { stored: view.clone(), view, counts, last_seq })
        })
        .collect())
}

/// Writes the rows back; a view only when it changed.
pub(super) async fn store(transaction: &mut Transaction<'static, Postgres>, jobs: &LockedJobs) -> Result<()> {
    let mut views = Vec::with_capacity(jobs.len());
    for job in jobs.values() {
        let text = (job.view != job.stored).then(|| serde_json::to_string(&job.view)).transpose();
        views.push(text.map_err(|problem| StorageError::corrupt("status.jobs", problem))?);
    }
    let count = |pick: fn(&Counts) -> u32| -> Vec<i32> {
        jobs.values().map(|job| i32::try_from(pick(&job.counts)).unwrap_or(i32::MAX)).collect()
    };
    sqlx::query(
        "-- projection::store
        UPDATE status.jobs job
        SET last_seq = given.last_seq, completed = given.completed, failed = given.failed, skipped = given.skipped,
            state = given.state, view = coalesce(given.view::jsonb, job.view)
        FROM UNNEST($1::uuid[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::text[], $7::text[])
            AS given (id, last_seq, completed, failed, skipped, state, view)
        WHERE job.id = given.id",
    )
    .bind(jobs.keys().map(|id| id.0).collect::<Vec<_>>())
    .bind(jobs.values().map(|job| job.last_seq).collect::<Vec<_>>())
    .bind(count(|counts| counts.completed))
    .bind(count(|counts| counts.failed))
    .bind(count(|counts| counts.skipped))
    .bind(jobs.values().map(|job| job.view.shown_state(job.counts.ended()).as_str()).collect::<Vec<_>>())
    .bind(views)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
