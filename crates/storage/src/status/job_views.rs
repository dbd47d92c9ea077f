//! Jobs of the read model, and those that were accepted and not yet projected.

use std::collections::BTreeMap;

use domain::events::job_view::JobView;
use domain::events::job_view::days::DayState;
use domain::job::JobState;
use domain::values::ids::JobId;
use sqlx::FromRow;
use sqlx::query::QueryAs;
use sqlx::types::Json;
use sqlx_postgres::{PgArguments, Postgres};
use uuid::Uuid;

use crate::error::Result;
use crate::pool::PgPool;

/// How many model-days of a job ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Completed.
    pub completed: u32,
    /// Failed.
    pub failed: u32,
    /// Were not run.
    pub skipped: u32,
}

impl Counts {
    /// All that have ended.
    pub fn ended(&self) -> u32 {
        self.completed.saturating_add(self.failed).saturating_add(self.skipped)
    }

    pub(super) fn from_columns(completed: i32, failed: i32, skipped: i32) -> Self {
        Self {
            completed: completed.cast_unsigned(),
            failed: failed.cast_unsigned(),
            skipped: skipped.cast_unsigned(),
        }
    }

    pub(super) fn count(&mut self, state: DayState) {
        match state {
            DayState::Running => {}
            DayState::Completed => self.completed += 1,
            DayState::Failed => self.failed += 1,
            DayState::Skipped => self.skipped += 1,
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.completed += more.completed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

/// A job of the read model.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// The fold of its events; empty while none was projected.
    pub view: JobView,
    /// How its model-days ended.
    pub counts: Counts,
    /// Model-days under way.
    pub running: u32,
    /// The number of its last event.
    pub last_seq: i64,
    /// The `job.requested` body from trigger, when the view does not have the request yet.
    pub accepted: Option<String>,
    /// Who requested it; `None` when that was not recorded yet.
    pub requested_by: Option<String>,
    /// Who cancelled it, if somebody did and that was recorded.
    pub cancelled_by: Option<String>,
}

impl StoredJob {
    /// The state to show.
    pub fn state(&self) -> JobState {
        self.view.shown_state(self.counts.ended())
    }
}

#[derive(FromRow)]
struct JobColumns {
    id: Uuid,
    view: Option<Json<JobView>>,
    completed: i32,
    failed: i32,
    skipped: i32,
    running: i64,
    last_seq: i64,
    accepted: Option<String>,
    requested_by: Option<String>,
    cancelled_by: Option<String>,
}

impl From<JobColumns> for StoredJob {
    fn from(row: JobColumns) -> Self {
        Self {
            id: JobId(row.id),
            view: row.view.map(|Json(view)| view).unwrap_or_default(),
            counts: Counts::from_columns(row.completed, row.failed, row.skipped),
            running: u32::try_from(row.running).unwrap_or(u32::MAX),
            last_seq: row.last_seq,
            accepted: row.accepted,
            requested_by: row.requested_by,
            cancelled_by: row.cancelled_by,
        }
    }
}

/// A job that was accepted or projected; `None` when there is none.
pub async fn job_view(pool: &PgPool, id: JobId) -> Result<Option<StoredJob>> {
    let row: Option<JobColumns> = sqlx::query_as(
        "-- job_views::job_view
        SELECT given.id, job.view, coalesce(job.completed, 0) AS completed, coalesce(job.failed, 0) AS failed,
            coalesce(job.skipped, 0) AS skipped, coalesce(job.last_seq, 0) AS last_seq,
            (SELECT count(*) FROM status.model_days WHERE job_id = given.id AND state = 'running') AS running,
            CASE WHEN jsonb_typeof(job.view -> 'requested') IS DISTINCT FROM 'object' THEN accepted.body END AS accepted,
            accepted.requested_by,
            (SELECT requested_by FROM trigger.cancellations WHERE job_id = given.id) AS cancelled_by
        FROM (VALUES ($1::uuid)) AS given (id)
        LEFT JOIN status.jobs job ON job.id = given.id
        LEFT JOIN trigger.jobs accepted ON accepted.id = given.id
        WHERE job.id IS NOT NULL OR accepted.id IS NOT NULL",
    )
    .bind(id.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(Into::into))
}

/// Selects jobs.
#[derive(Debug, Clone, Copy, Default)]
pub struct JobFilter<'a> {
    /// In this state.
    pub state: Option<JobState>,
    /// With this model.
    pub model: Option<&'a str>,
    /// Of this experiment.
    pub experiment: Option<&'a str>,
    /// With this text in its id, its experiment, the name of one of its models or its error, whatever the case.
    pub text: Option<&'a str>,
    /// One of these.
    pub ids: Option<&'a [JobId]>,
    /// Accepted before this one.
    pub before: Option<JobId>,
}

/// The jobs that a filter selects, as rows `accepted`, `job` and `requested`, of which only what is used is computed.
macro_rules! selected_jobs {
    ($name:literal, $columns:literal, $rest:literal) => {
        concat!(
            "-- job_views::",
            $name,
            "
        SELECT ",
            $columns,
            "
        FROM trigger.jobs accepted
        LEFT JOIN status.jobs job ON job.id = accepted.id
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN jsonb_typeof(job.view -> 'requested') = 'object' THEN job.view -> 'requested'
                ELSE accepted.body::jsonb -> 'job'
            END AS body
        ) requested
        WHERE ($1::uuid IS NULL OR accepted.id < $1)
            AND ($2::text IS NULL OR coalesce(job.state, 'pending') = $2)
            AND ($3::jsonb IS NULL OR requested.body -> 'models' @> $3)
            AND ($4::text IS NULL OR requested.body ->> 'experiment' = $4)
            AND ($5::uuid[] IS NULL OR accepted.id = ANY($5))
            AND ($6::text IS NULL
                OR strpos(lower(concat_ws(' ', accepted.id, requested.body ->> 'experiment',
                    job.view #>> '{ended,error}')), $6) > 0
                OR EXISTS (
                    SELECT FROM jsonb_array_elements(requested.body -> 'models') AS named (model)
                    WHERE strpos(lower(model ->> 'signature'), $6) > 0
                ))
        ",
            $rest
        )
    };
}

impl JobFilter<'_> {
    /// Binds what the statements above select by.
    fn bind<'q, O>(
        &self,
        query: QueryAs<'q, Postgres, O, PgArguments>,
    ) -> QueryAs<'q, Postgres, O, PgArguments> {
        query
            .bind(self.before.map(|job| job.0))
            .bind(self.state.map(JobState::as_str))
            .bind(self.model.map(|model| serde_json::json!([{ "signature": model }])))
            .bind(self.experiment.map(str::to_owned))
            .bind(self.ids.map(|ids| ids.iter().map(|job| job.0).collect::<Vec<Uuid>>()))
            .bind(self.text.map(str::to_lowercase))
    }
}

/// Up to `limit` jobs, newest first, those that were accepted and not yet projected among them.
pub async fn job_views(pool: &PgPool, filter: &JobFilter<'_>, limit: i64) -> Result<Vec<StoredJob>> {
    let query = sqlx::query_as(selected_jobs!(
        "job_views",
        "accepted.id, job.view, coalesce(job.completed, 0) AS completed, coalesce(job.failed, 0) AS failed,
            coalesce(job.skipped, 0) AS skipped, coalesce(job.last_seq, 0) AS last_seq,
            (SELECT count(*) FROM status.model_days WHERE job_id = accepted.id AND state = 'running') AS running,
            CASE WHEN jsonb_typeof(job.view -> 'requested') IS DISTINCT FROM 'object' THEN accepted.body END AS accepted,
            accepted.requested_by,
            (SELECT requested_by FROM trigger.cancellations WHERE job_id = accepted.id) AS cancelled_by",
        "ORDER BY accepted.id DESC
        LIMIT $7"
    ));
    let rows: Vec<JobColumns> = filter.bind(query).bind(limit).fetch_all(pool).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The ids of the jobs, in no order.
pub(super) async fn job_ids(pool: &PgPool, filter: &JobFilter<'_>) -> Result<Vec<Uuid>> {
    let query = sqlx::query_as(selected_jobs!("job_ids", "accepted.id", ""));
    let rows: Vec<(Uuid,)> = filter.bind(query).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many of the jobs are in each state; a state without a job is left out.
pub async fn job_counts(pool: &PgPool, filter: &JobFilter<'_>) -> Result<BTreeMap<String, i64>> {
    let query = sqlx::query_as(selected_jobs!(
        "job_counts",
        "coalesce(job.state, 'pending') AS state, count(*) AS jobs",
        "GROUP BY 1"
    ));
    let rows: Vec<(String, i64)> = filter.bind(query).fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}
