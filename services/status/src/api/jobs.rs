//! `GET /simulate/status/{id}` and `/jobs/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use domain::events::job_view::Download;
use domain::ingest::outlook::Outlook;
use runtime::deployment::Deployment;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::status::{Span, job_usage, stale_portfolios, winners};
use utoipa::ToSchema;

use super::format::instant;
use super::known_job::{JobSummary, KnownJob};
use super::model_days::{self, MAX_MODEL_DAYS, ModelDayDetail, StatusFilter};
use super::state::Api;
use super::traces::TraceDetail;
use super::usage::UsageDetail;
use super::warning::WarningDetail;

/// The status of a job.
#[derive(Serialize, ToSchema)]
pub(super) struct JobStatus {
    #[serde(flatten)]
    summary: JobSummary,
    date_range: Vec<String>,
    details: Vec<ModelDayDetail>,
    /// Path to the rest of the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    details_next: Option<String>,
    /// Known once the job has ended.
    stale_days: Option<usize>,
    /// Until when the job waits for the provider's budget; null when it does not wait.
    waiting_for: Option<String>,
    /// What it waits for; null when it does not wait.
    waiting: Option<WaitingDetail>,
    warning_details: Vec<WarningDetail>,
    download: Option<DownloadDetail>,
    /// What the job's agents used; null when no usage is known.
    usage: Option<UsageDetail>,
    #[serde(flatten)]
    trace: TraceDetail,
    #[serde(flatten)]
    deployment: Deployment,
}

/// What a job waits for.
#[derive(Serialize, ToSchema)]
#[schema(as = Waiting)]
struct WaitingDetail {
    /// When calls are allowed again.
    until: String,
    /// Symbols that still lack prices.
    symbols_missing: u32,
    /// In how many windows of the budget, the next one included, they will be there; null when it is not known.
    windows: Option<u32>,
    /// The same in a sentence, and what can be done instead of waiting.
    message: String,
}

impl From<Outlook> for WaitingDetail {
    fn from(outlook: Outlook) -> Self {
        let Outlook { until, symbols_missing, windows } = outlook;
        let message =
            format!("{outlook}. Instead of waiting, run a job over fewer symbols, or import prices");
        Self { until: instant(until), symbols_missing, windows, message }
    }
}

/// Progress of the download.
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

/// Status of a job.
#[utoipa::path(get, path = "/simulate/status/{job_id}", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("details" = Option<bool>, Query, description = "Whether to list the model-days; true when absent."),
    ),
    responses(
        (status = 200, description = "Its status, with up to 5,000 model-days.", body = JobStatus),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn status(
    state: State<Api>,
    id: Path<String>,
    params: Params,
) -> Result<Json<JobStatus>, Problem> {
    status_of(state, id, params).await
}

/// A job; the same as its status.
#[utoipa::path(get, path = "/jobs/{job_id}", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("details" = Option<bool>, Query, description = "Whether to list the model-days; true when absent."),
    ),
    responses(
        (status = 200, description = "Its status, with up to 5,000 model-days.", body = JobStatus),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn job(
    state: State<Api>,
    id: Path<String>,
    params: Params,
) -> Result<Json<JobStatus>, Problem> {
    status_of(state, id, params).await
}

async fn status_of(
    State(api): State<Api>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<JobStatus>, Problem> {
    let with_details = params.choice("details", &[("true", true), ("false", false)]).unwrap_or(true);
    params.finish()?;
    let mut job = KnownJob::load(&api, &id).await?;
    KnownJob::read_pauses(&api, std::slice::from_mut(&mut job)).await?;
    let page = if with_details {
        model_days::page(&api.pool, job.id, &job.requested, StatusFilter::Any, None, None, MAX_MODEL_DAYS)
            .await?
    } else {
        model_days::Page { details: Vec::new(), next: None }
    };
    let link = |cursor: String| format!("/jobs/{}/model-days?cursor={cursor}&limit={MAX_MODEL_DAYS}", job.id);
    let waiting_for = match job.view.waiting_until {
        Some(_) => job.view.waits_until(storage::now(&api.pool).await?),
        None => None,
    };
    let stale_days = if job.state.is_terminal() { Some(stale_days(&api, &job).await?) } else { None };
    Ok(Json(JobStatus {
        summary: job.summary(),
        date_range: job.requested.dates().iter().map(ToString::to_string).collect(),
        details: page.details,
        details_next: page.next.map(link),
        stale_days,
        waiting_for: waiting_for.map(instant),
        waiting: job.view.outlook.filter(|outlook| waiting_for == Some(outlook.until)).map(Into::into),
        warning_details: job.view.warnings.into_iter().map(Into::into).collect(),
        download: job.view.download.map(Into::into),
        usage: job_usage(&api.pool, job.id).await?.map(Into::into),
        trace: TraceDetail::of(&api, job.view.trace_id.as_deref()),
        deployment: api.settings.deployment,
    }))
}

/// How many winning days of the job's portfolios are stale, within its dates.
async fn stale_days(api: &Api, job: &KnownJob) -> Result<usize, Problem> {
    let requested = &job.requested;
    let models: Vec<String> = requested.models.iter().map(|model| model.signature.clone()).collect();
    let portfolios = stale_portfolios(&api.pool, &requested.experiment, &models).await?;
    let stale = portfolios.into_iter().filter_map(|portfolio| {
        let stale_from = portfolio.stale_from?;
        let of = requested.models.iter().find(|model| model.signature == portfolio.model)?;
        let from = stale_from.max(of.start);
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
