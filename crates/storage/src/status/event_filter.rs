//! Selected events of the log, and how far it was looked through for them: a reader who goes on from there misses none,
//! also when nothing was selected.

use domain::values::ids::JobId;
use uuid::Uuid;

use super::feed::{FeedEvent, ended_states, events_after, job_events_after, last_position};
use super::job_views::{JobFilter, job_ids};
use crate::error::Result;
use crate::pool::PgPool;

/// Positions that are looked through together for events of an experiment or a model.
const WINDOW: i64 = 20_000;
/// Windows that one call looks through at most.
const MAX_WINDOWS: usize = 25;

/// Selects events; the default selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of one of these types.
    pub kinds: Option<Vec<&'static str>>,
    /// Of this job.
    pub job: Option<JobId>,
    /// Of jobs of this experiment.
    pub experiment: Option<String>,
    /// Of jobs with this model, and of their model-days those of this model.
    pub model: Option<String>,
}

impl EventFilter {
    /// Whether it selects every event.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the log has to be read to know what it selects: an event does not say whether its job has a model.
    pub fn needs_the_log(&self) -> bool {
        self.experiment.is_some() || self.model.is_some()
    }

    /// Whether it selects an event, as far as that is known without the log.
    pub fn admits(&self, event: &FeedEvent) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind.as_str()))
            && self.job.is_none_or(|job| job.0 == event.job_id)
    }

    /// Those of `jobs` whose events it may select.
    async fn meant(&self, pool: &PgPool, jobs: Vec<JobId>) -> Result<Vec<Uuid>> {
        if !self.needs_the_log() {
            return Ok(jobs.into_iter().map(|job| job.0).collect());
        }
        let (model, experiment) = (self.model.as_deref(), self.experiment.as_deref());
        job_ids(pool, &JobFilter { model, experiment, ids: Some(&jobs), ..JobFilter::default() }).await
    }
}

/// Selected events, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectedEvents {
    /// The events.
    pub events: Vec<FeedEvent>,
    /// Up to where the log was looked through; where to read on.
    pub through: i64,
    /// Whether that is the end of the log.
    pub is_end: bool,
}

impl SelectedEvents {
    /// Those of a statement that selects up to `limit` events up to `until`, the end of the log.
    fn of(events: Vec<FeedEvent>, number: fn(&FeedEvent) -> i64, limit: i64, until: i64) -> Self {
        let is_end = i64::try_from(events.len()).is_ok_and(|count| count < limit);
        let last = events.last().map_or(until, number);
        let through = if is_end { last.max(until) } else { last };
        Self { events, through, is_end }
    }
}

/// The columns of a [`FeedEvent`]; `$1` has the states of ended jobs.
macro_rules! selecting {
    ($name:literal, $rest:expr) => {
        concat!(
            "-- event_filter::",
            $name,
            "
        SELECT event.position, event.job_id, event.seq, event.source, event.id, event.kind, event.occurred_at,
            event.traceparent, event.body, job.last_seq = event.seq AND job.state = ANY($1) AS ends_job
        FROM status.events event
        JOIN status.jobs job ON job.id = event.job_id
        ",
            $rest
        )
    };
}

/// The condition of an event of one of the types `$5`, and, if it is one of a model-day, of the model `$6`.
macro_rules! is_of_kind_and_model {
    () => {
        "
            AND ($5::text[] IS NULL OR event.kind = ANY($5))
            AND ($6::text IS NULL OR event.kind NOT LIKE 'modelday.model_day%'
                OR coalesce(event.body::jsonb #>> '{key,model}', event.body::jsonb ->> 'model') = $6)
        "
    };
}

/// Up to `limit` selected events with positions above `after`. It may return fewer, or none, before the end of the log,
/// when nothing of the many events that it looked through is selected.
pub async fn selected_events(
    pool: &PgPool,
    filter: &EventFilter,
    after: i64,
    limit: i64,
) -> Result<SelectedEvents> {
    if filter.is_everything() {
        let events = events_after(pool, after, limit).await?;
        return Ok(SelectedEvents::of(events, |event| event.position, limit, after));
    }
    let last = last_position(pool).await?.max(after);
    if let Some(job) = filter.job {
        let (seq,) = sqlx::query_as("-- event_filter::seq_at\nSELECT status.seq_at($1, $2)")
            .bind(job.0)
            .bind(after)
            .fetch_one(pool)
            .await?;
        let events = events_of_job(pool, job, filter, seq, last, limit).await?;
        return Ok(SelectedEvents::of(events, |event| event.position, limit, last));
    }
    let Some(kinds) = filter.kinds.as_ref().filter(|_| !filter.needs_the_log()) else {
        return looked_through(pool, filter, after, last, limit).await;
    };
    let events = sqlx::query_as(selecting!(
        "of_kinds",
        // An array, so that PostgreSQL looks each position up whatever it expects of the subquery.
        "WHERE event.position = ANY(ARRAY(
            SELECT found.position
            FROM UNNEST($2::text[]) AS given (kind)
            CROSS JOIN LATERAL (
                SELECT position
                FROM status.events
                -- A sum, as in the index of types: the index of positions would read all events between.
                WHERE kind = given.kind AND position + 0 > $3 AND position + 0 <= $4
                ORDER BY position + 0
                LIMIT $5
            ) found
            ORDER BY found.position
            LIMIT $5
        ))
        ORDER BY event.position"
    ))
    .bind(ended_states())
    .bind(kinds)
    .bind(after)
    .bind(last)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(SelectedEvents::of(events, |event| event.position, limit, last))
}

/// Looks through the log from `after` to `last`, window by window, until events of the experiment or the model are found.
async fn looked_through(
    pool: &PgPool,
    filter: &EventFilter,
    after: i64,
    last: i64,
    limit: i64,
) -> Result<SelectedEvents> {
    let mut through = after;
    for _ in 0..MAX_WINDOWS {
        let from = through;
        through = last.min(from + WINDOW);
        let near: Vec<(Uuid,)> = sqlx::query_as(
            "-- event_filter::near
            SELECT DISTINCT job_id
            FROM status.events
            WHERE position > $1 AND position <= $2 AND ($3::text[] IS NULL OR kind = ANY($3))",
        )
        .bind(from)
        .bind(through)
        .bind(&filter.kinds)
        .fetch_all(pool)
        .await?;
        let jobs = filter.meant(pool, near.into_iter().map(|(id,)| JobId(id)).collect()).await?;
        let events: Vec<FeedEvent> = if jobs.is_empty() {
            Vec::new()
        } else {
            sqlx::query_as(selecting!(
                "of_jobs",
                concat!(
                    "WHERE event.position > $2 AND event.position <= $3 AND event.job_id = ANY($4)",
                    is_of_kind_and_model!(),
                    "ORDER BY event.position
        LIMIT $7"
                )
            ))
            .bind(ended_states())
            .bind(from)
            .bind(through)
            .bind(jobs)
            .bind(&filter.kinds)
            .bind(&filter.model)
            .bind(limit)
            .fetch_all(pool)
            .await?
        };
        if !events.is_empty() || through == last {
            let selected = SelectedEvents::of(events, |event| event.position, limit, through);
            return Ok(SelectedEvents { is_end: selected.is_end && through == last, ..selected });
        }
    }
    Ok(SelectedEvents { events: Vec::new(), through, is_end: false })
}

/// Up to `limit` selected events of `job` with numbers above `after`; `last` is the number of its last event.
pub async fn selected_job_events(
    pool: &PgPool,
    job: JobId,
    filter: &EventFilter,
    after: i64,
    limit: i64,
    last: i64,
) -> Result<SelectedEvents> {
    let events = if filter.is_everything() {
        job_events_after(pool, job, after, limit).await?
    } else {
        events_of_job(pool, job, filter, after, i64::MAX, limit).await?
    };
    Ok(SelectedEvents::of(events, |event| event.seq, limit, last.max(after)))
}

/// Those with numbers above `after` and positions up to `until`.
async fn events_of_job(
    pool: &PgPool,
    job: JobId,
    filter: &EventFilter,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<FeedEvent>> {
    if filter.meant(pool, vec![job]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let events = sqlx::query_as(selecting!(
        "of_job",
        concat!(
            "WHERE event.job_id = $2 AND event.seq > $3 AND event.position <= $4",
            is_of_kind_and_model!(),
            "ORDER BY event.seq
        LIMIT $7"
        )
    ))
    .bind(ended_states())
    .bind(job.0)
    .bind(after)
    .bind(until)
    .bind(&filter.kinds)
    .bind(&filter.model)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(events)
}
