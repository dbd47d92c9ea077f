//! Projecting a batch of events: one transaction with a few statements, however large the batch.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use domain::events::event::Event;
use domain::events::job_view::days::{DayFacts, facts};
use domain::events::job_view::{JobView, Occurrence, fold};
use domain::values::ids::JobId;
use sqlx::types::Json;
use uuid::Uuid;

use super::chains::{self, Changes};
use super::event_log::{self, ReceivedEvent, trace_id};
use super::job_views::Counts;
use super::model_days::{self, EventRef};
use crate::columns::corrupt;
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// What a batch of events changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// Events that were new, in the order of their numbers within each job.
    pub logged: Vec<LoggedEvent>,
    /// Places in the batch of events whose job was not accepted. They are not stored.
    pub unknown: Vec<usize>,
}

/// An event that was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its place in the batch.
    pub place: usize,
    /// Its job.
    pub job: JobId,
    /// Its number within the job, from 1, without gaps.
    pub seq: i64,
}

/// Where projections run: on the connections of a pool, or on the one that holds the projector's lock.
pub trait Sessions: Sync {
    /// A connection for the next projection.
    fn session(&self) -> impl Future<Output = Result<Connection>> + Send;
}

impl Sessions for PgPool {
    async fn session(&self) -> Result<Connection> {
        self.acquire().await
    }
}

/// Appends the events that are new to the log, and brings the read model up to date with them. Events may come any number
/// of times, in any order, and from several processes at once. See [`refuses_content`] about errors.
pub async fn project(sessions: &impl Sessions, received: &[ReceivedEvent<'_>]) -> Result<Projection> {
    let ids: BTreeSet<JobId> = received.iter().map(|event| event.event.job()).collect();
    let Some((mut transaction, mut jobs)) = lock(sessions, &ids).await? else {
        return Ok(Projection { logged: Vec::new(), unknown: (0..received.len()).collect() });
    };

    let mut once = HashSet::new();
    let accepted: Vec<&ReceivedEvent<'_>> = received
        .iter()
        .filter(|event| jobs.contains_key(&event.event.job()) && once.insert((event.source, event.id)))
        .collect();
    let mut numbers = event_log::append(&mut transaction, &accepted).await?;

    let mut projected = Projection::default();
    let mut days = DayFacts::default();
    for (place, event) in received.iter().enumerate() {
        let id = event.event.job();
        let Some(job) = jobs.get_mut(&id) else {
            projected.unknown.push(place);
            continue;
        };
        let Some(seq) = numbers.remove(&(event.source.to_owned(), event.id)) else { continue };
        projected.logged.push(LoggedEvent { place, job: id, seq });
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

/// Whether `error` is about the content that was to be stored, so that trying again does not help.
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

/// A locked row of a job, with what a batch adds to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LockedJob {
    pub(super) view: JobView,
    pub(super) counts: Counts,
    pub(super) last_seq: i64,
    /// The view as it is in the row.
    stored: JobView,
}

impl LockedJob {
    pub(super) fn add(&mut self, event: &Event, at: DateTime<Utc>, traceparent: Option<&str>) {
        fold(&mut self.view, &Occurrence { event, at, trace_id: trace_id(traceparent) });
    }

    /// Clears everything except the number of events.
    pub(super) fn clear(&mut self) {
        self.view = JobView::default();
        self.counts = Counts::default();
    }
}

pub(super) type LockedJobs = BTreeMap<JobId, LockedJob>;

type JobColumns = (Uuid, Json<JobView>, i64, i32, i32, i32);

/// Locks the rows of `ids` in order, and creates rows for jobs that are accepted and not projected yet. Jobs that do not
/// exist are missing from the result; `None` when no job exists. Rows are created while others are locked: only the
/// projector at work does this, and of two that hand over one may be ended by PostgreSQL, and then tries again.
pub(super) async fn lock(
    sessions: &impl Sessions,
    ids: &BTreeSet<JobId>,
) -> Result<Option<(Transaction, LockedJobs)>> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut transaction = Transaction::begin(sessions.session().await?).await?;
    let mut jobs = locked(&mut transaction, &uuids).await?;
    if jobs.len() < ids.len() {
        let missing: Vec<Uuid> = ids.iter().filter(|id| !jobs.contains_key(id)).map(|id| id.0).collect();
        sqlx::query(
            "-- projection::lock stubs
            INSERT INTO status.jobs (id)
            SELECT id FROM trigger.jobs WHERE id = ANY($1) ORDER BY id
            ON CONFLICT (id) DO NOTHING",
        )
        .bind(&missing)
        .execute(&mut *transaction)
        .await?;
        jobs.append(&mut locked(&mut transaction, &missing).await?);
    }
    if jobs.is_empty() {
        transaction.rollback().await?;
        return Ok(None);
    }
    Ok(Some((transaction, jobs)))
}

async fn locked(transaction: &mut Transaction, ids: &[Uuid]) -> Result<LockedJobs> {
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

/// Writes the rows back; views only when they changed.
pub(super) async fn store(transaction: &mut Transaction, jobs: &LockedJobs) -> Result<()> {
    let mut views = Vec::with_capacity(jobs.len());
    for job in jobs.values() {
        let text = (job.view != job.stored).then(|| serde_json::to_string(&job.view)).transpose();
        views.push(text.map_err(corrupt("status.jobs"))?);
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
