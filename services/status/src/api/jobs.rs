//! `GET /simulate/status/{id}`, `/jobs`, `/jobs/{id}`, `/jobs/{id}/model-days`.

use axum::Json;
use axum::extract::{Path, State};
use chrono::Utc;
use domain::events::job_view::Download;
use domain::events::job_view::days::DayState;
use domain::job::JobState;
use runtime::deployment::Deployment;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::status::{JobFilter, Span, job_usage, job_views, portfolios, winners};
use utoipa::ToSchema;

use super::cells::{self, Detail, MOST, Wanted};
use super::usage::UsageDetail;
use super::view::{KnownJob, Summary};
use super::warning::WarningDetail;
use super::{Api, cursor, instant};

const STATES: [(&str, JobState); 7] = [
    ("pending", JobState::Pending),
    ("downloading_data", JobState::DownloadingData),
    ("running", JobState::Running),
    ("completed", JobState::Completed),
    ("partial", JobState::Partial),
    ("failed", JobState::Failed),
    ("cancelled", JobState::Cancelled),
];

const DAY_STATES: [(&str, Wanted); 5] = [
    ("pending", Wanted::Pending),
    ("running", Wanted::In(DayState::Running)),
    ("completed", Wanted::In(DayState::Completed)),
    ("failed", Wanted::In(DayState::Failed)),
    ("skipped", Wanted::In(DayState::Skipped)),
];

/// The states of a job, as a parameter names them.
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

/// The states of a model-day, as a parameter names them.
#[derive(ToSchema)]
#[schema(as = ModelDayState, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes `DAY_STATES`")]
enum DayStateName {
    Pending,
    Running,
    Completed,
    Failed,
    Skipped,
}

/// The status of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = JobStatus)]
pub(crate) struct Status {
    #[serde(flatten)]
    summary: Summary,
    date_range: Vec<String>,
    details: Vec<Detail>,
    /// Where the rest of the details is.
    #[serde(skip_serializing_if = "Option::is_none")]
    details_next: Option<String>,
    /// Known once the job has ended.
    stale_days: Option<usize>,
    waiting_for: Option<String>,
    warning_details: Vec<WarningDetail>,
    download: Option<DownloadDetail>,
    /// What the job's agents used; null without any that told.
    usage: Option<UsageDetail>,
    trace_id: Option<String>,
    #[serde(flatten)]
    deployment: Deployment,
}

/// How far the download is.
#[derive(Serialize, ToSchema)]
#[schema(as = Download)]
struct DownloadDetail {
    symbols_total: u32,
    symbols_done: u32,
    budget: Option<u32>,
}

impl From<Download> for DownloadDetail {
    fn from(download: Download) -> Self {
        let Download { symbols_total, symbols_done, budget_left } = download;
        Self { symbols_total, symbols_done, budget: budget_left }
    }
}

/// How far a job is.
#[utoipa::path(get, path = "/simulate/status/{job_id}", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("details" = Option<bool>, Query, description = "Whether to list the model-days; true when absent."),
    ),
    responses(
        (status = 200, description = "Its status, with up to 5,000 model-days.", body = Status),
        (status = 404, description = "Nobody accepted such a job.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn status(
    state: State<Api>,
    id: Path<String>,
    params: Params,
) -> Result<Json<Status>, Problem> {
    status_of(state, id, params).await
}

/// A job; the same as its status.
#[utoipa::path(get, path = "/jobs/{job_id}", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("details" = Option<bool>, Query, description = "Whether to list the model-days; true when absent."),
    ),
    responses(
        (status = 200, description = "Its status, with up to 5,000 model-days.", body = Status),
        (status = 404, description = "Nobody accepted such a job.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn job(
    state: State<Api>,
    id: Path<String>,
    params: Params,
) -> Result<Json<Status>, Problem> {
    status_of(state, id, params).await
}

async fn status_of(
    State(api): State<Api>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<Status>, Problem> {
    let with_details = params.choice("details", &[("true", true), ("false", false)]).unwrap_or(true);
    params.finish()?;
    let job = KnownJob::load(&api, &id).await?;
    let page = if with_details {
        cells::page(&api.pool, job.id, &job.requested, Wanted::Any, None, None, MOST).await?
    } else {
        cells::Page { details: Vec::new(), next: None }
    };
    let link = |cursor: String| format!("/jobs/{}/model-days?cursor={cursor}&limit={MOST}", job.id);
    let stale_days = if job.state.is_terminal() { Some(stale_days(&api, &job).await?) } else { None };
    Ok(Json(Status {
        summary: job.summary(),
        date_range: job.requested.dates().iter().map(ToString::to_string).collect(),
        details: page.details,
        details_next: page.next.map(link),
        stale_days,
        waiting_for: job.view.waits_until(Utc::now()).map(instant),
        warning_details: job.view.warnings.into_iter().map(Into::into).collect(),
        download: job.view.download.map(Into::into),
        usage: job_usage(&api.pool, job.id).await?.map(Into::into),
        trace_id: job.view.trace_id,
        deployment: api.reading.deployment,
    }))
}

/// How many winning days of the job's portfolios, within its dates, are stale.
async fn stale_days(api: &Api, job: &KnownJob) -> Result<usize, Problem> {
    let requested = &job.requested;
    let models: Vec<String> = requested.models.iter().map(|model| model.signature.clone()).collect();
    let portfolios = portfolios(&api.pool, &requested.experiment, Some(&models)).await?;
    // Most jobs stand on nothing stale, and then there is nothing to count.
    let stale = portfolios.into_iter().filter_map(|portfolio| {
        let of = requested.models.iter().find(|model| model.signature == portfolio.model)?;
        let from = portfolio.stale_from?.max(of.start);
        (portfolio.trial < of.trials && from <= requested.end).then_some((portfolio, from))
    });
    let mut count = 0;
    for (portfolio, from) in stale {
        let dates = Span { from: Some(from), to: Some(requested.end) };
        let days = winners(&api.pool, &requested.experiment, &[portfolio], dates).await?;
        count += days.iter().filter(|row| row.key.day.date >= from).count();
    }
    Ok(count)
}

/// A page of jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Jobs {
    count: usize,
    jobs: Vec<Summary>,
    next_cursor: Option<String>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/jobs", operation_id = "jobs", tag = "jobs", security(("token" = ["read"])),
    params(
        ("status" = inline(Option<JobStateName>), Query, description = "Only those in this state."),
        ("model" = Option<String>, Query, description = "Only those that run this model."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most jobs; 50 when absent."),
        ("cursor" = Option<String>, Query, format = "uuid", description = "The `next_cursor` of an earlier answer."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Jobs),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(State(api): State<Api>, mut params: Params) -> Result<Json<Jobs>, Problem> {
    let state = params.choice("status", &STATES);
    let model = params.filter("model");
    let limit = params.number("limit", 1, 1_000).unwrap_or(50);
    let before = params
        .read("cursor", "value_error", "the next_cursor of an earlier answer", |text| text.parse().ok());
    params.finish()?;
    let filter = JobFilter { state, model: model.as_deref(), before };
    let mut stored = job_views(&api.pool, &filter, limit + 1).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = stored.len() > page;
    stored.truncate(page);
    let next_cursor = stored.last().filter(|_| more).map(|job| job.id.to_string());
    let jobs: Vec<Summary> =
        stored.into_iter().map(|job| Ok(KnownJob::of(job)?.summary())).collect::<Result<_, Problem>>()?;
    Ok(Json(Jobs { count: jobs.len(), jobs, next_cursor }))
}

/// A page of a job's model-days.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelDays {
    job_id: String,
    count: usize,
    model_days: Vec<Detail>,
    next_cursor: Option<String>,
}

/// The model-days of a job, by date, then model, then trial.
#[utoipa::path(get, path = "/jobs/{job_id}/model-days", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("status" = inline(Option<DayStateName>), Query, description = "Only those in this state."),
        ("model" = Option<String>, Query, description = "Only those of this model."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 5_000, description = "Most model-days; 1,000 when absent."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier answer."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = ModelDays),
        (status = 404, description = "Nobody accepted such a job.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn model_days(
    State(api): State<Api>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<ModelDays>, Problem> {
    let wanted = params.choice("status", &DAY_STATES).unwrap_or(Wanted::Any);
    let model = params.filter("model");
    let limit = params.number("limit", 1, MOST as i64).unwrap_or(1_000);
    let after = params.read("cursor", "value_error", "the next_cursor of an earlier answer", cursor::cell);
    params.finish()?;
    let job = KnownJob::load(&api, &id).await?;
    let limit = usize::try_from(limit).unwrap_or(MOST);
    let page = cells::page(&api.pool, job.id, &job.requested, wanted, model.as_deref(), after, limit).await?;
    let (count, job_id) = (page.details.len(), job.id.to_string());
    Ok(Json(ModelDays { job_id, count, model_days: page.details, next_cursor: page.next }))
}
