//! `GET /jobs`: jobs, newest first.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::job::JobState;
use domain::values::ids::JobId;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::status::{JobFilter, job_counts, job_views};
use utoipa::ToSchema;

use super::known_job::{JobSummary, KnownJob};
use super::state::Api;

/// Most jobs that a request can name.
const MAX_IDS: usize = 100;

const STATES: [(&str, JobState); 7] = [
    ("pending", JobState::Pending),
    ("downloading_data", JobState::DownloadingData),
    ("running", JobState::Running),
    ("completed", JobState::Completed),
    ("partial", JobState::Partial),
    ("failed", JobState::Failed),
    ("cancelled", JobState::Cancelled),
];

/// The states of a job, as values of a parameter.
#[derive(ToSchema)]
#[schema(as = JobState, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes `STATES`")]
enum JobStateName {
    Pending,
    DownloadingData,
    Running,
    Completed,
    Partial,
    Failed,
    Cancelled,
}

/// A page of jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct Jobs {
    count: usize,
    jobs: Vec<JobSummary>,
    next_cursor: Option<String>,
    /// With `counts`: how many jobs are in each state, whatever `status`, `ids` and `cursor` are; states without a job are
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    states: Option<BTreeMap<String, i64>>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/jobs", operation_id = "jobs", tag = "jobs", security(("token" = ["read"])),
    params(
        ("status" = inline(Option<JobStateName>), Query, description = "Only those in this state."),
        ("model" = Option<String>, Query, description = "Only those that run this model."),
        ("experiment" = Option<String>, Query, description = "Only those of this experiment."),
        ("text" = Option<String>, Query, description = "Only those with this text in the id, the experiment, the name of a model or the error, whatever the case."),
        ("ids" = Option<String>, Query, pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(,[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}){0,99}$", description = "Only these: up to 100 ids between commas."),
        ("counts" = Option<bool>, Query, description = "Whether to count the jobs in each state; false when absent."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most jobs; 50 when absent."),
        ("cursor" = Option<String>, Query, format = "uuid", description = "The `next_cursor` of an earlier response."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Jobs),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn list(State(api): State<Api>, mut params: Params) -> Result<Json<Jobs>, Problem> {
    let state = params.choice("status", &STATES);
    let (model, experiment) = (params.filter("model"), params.filter("experiment"));
    let text = params.filter("text");
    let ids = params.read("ids", "value_error", "up to 100 ids of jobs between commas", job_ids);
    let with_counts = params.choice("counts", &[("true", true), ("false", false)]).unwrap_or_default();
    let limit = params.number("limit", 1, 1_000).unwrap_or(50);
    let before = params
        .read("cursor", "value_error", "the next_cursor of an earlier answer", |text| text.parse().ok());
    params.finish()?;
    let all = JobFilter {
        model: model.as_deref(),
        experiment: experiment.as_deref(),
        text: text.as_deref(),
        ..JobFilter::default()
    };
    let filter = JobFilter { state, ids: ids.as_deref(), before, ..all };
    let mut stored = job_views(&api.pool, &filter, limit + 1).await?;
    let states = if with_counts { Some(job_counts(&api.pool, &all).await?) } else { None };
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = stored.len() > page;
    stored.truncate(page);
    let next_cursor = stored.last().filter(|_| more).map(|job| job.id.to_string());
    let mut jobs: Vec<KnownJob> = stored.into_iter().map(KnownJob::of).collect::<Result<_, Problem>>()?;
    KnownJob::read_pauses(&api, &mut jobs).await?;
    let jobs: Vec<JobSummary> = jobs.iter().map(KnownJob::summary).collect();
    Ok(Json(Jobs { count: jobs.len(), jobs, next_cursor, states }))
}

fn job_ids(text: &str) -> Option<Vec<JobId>> {
    let ids: Vec<JobId> = text.split(',').map(|id| id.trim().parse().ok()).collect::<Option<_>>()?;
    Some(ids).filter(|ids| ids.len() <= MAX_IDS)
}
