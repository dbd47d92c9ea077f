//! `GET /jobs/{id}/model-days`: the requested model-days of a job, with what is known about each.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use domain::events::job_view::days::DayState;
use domain::events::job_view::{JobRequest, RequestedDay};
use domain::values::ids::JobId;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::PgPool;
use storage::status::{DayFilter, DayRow, day_rows};
use utoipa::ToSchema;

use super::cursor;
use super::format::{instant, seconds};
use super::known_job::KnownJob;
use super::state::Api;

/// Most model-days in one response.
pub(super) const MAX_MODEL_DAYS: usize = 5_000;

/// Most chunks of [`MAX_MODEL_DAYS`] that one request searches for pending days.
const MAX_CHUNKS: usize = 20;

/// A model-day.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ModelDay)]
pub(super) struct ModelDayDetail {
    date: String,
    model: String,
    trial: u32,
    status: &'static str,
    error: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    duration_seconds: Option<f64>,
}

/// Which model-days to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusFilter {
    Any,
    /// Those that have not begun.
    Pending,
    In(DayState),
}

/// A page, with the cursor of the next one if there are more model-days.
pub(super) struct Page {
    pub(super) details: Vec<ModelDayDetail>,
    pub(super) next: Option<String>,
}

const DAY_STATES: [(&str, StatusFilter); 5] = [
    ("pending", StatusFilter::Pending),
    ("running", StatusFilter::In(DayState::Running)),
    ("completed", StatusFilter::In(DayState::Completed)),
    ("failed", StatusFilter::In(DayState::Failed)),
    ("skipped", StatusFilter::In(DayState::Skipped)),
];

/// The states of a model-day, as values of a parameter.
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

/// A page of a job's model-days.
#[derive(Serialize, ToSchema)]
pub(super) struct ModelDays {
    job_id: String,
    count: usize,
    model_days: Vec<ModelDayDetail>,
    next_cursor: Option<String>,
}

/// The model-days of a job, by date, then model, then trial.
#[utoipa::path(get, path = "/jobs/{job_id}/model-days", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("status" = inline(Option<DayStateName>), Query, description = "Only those in this state."),
        ("model" = Option<String>, Query, description = "Only those of this model."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 5_000, description = "Most model-days; 1,000 when absent."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier response."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = ModelDays),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn model_days(
    State(api): State<Api>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<ModelDays>, Problem> {
    let status = params.choice("status", &DAY_STATES).unwrap_or(StatusFilter::Any);
    let model = params.filter("model");
    let limit = params.number("limit", 1, MAX_MODEL_DAYS as i64).unwrap_or(1_000);
    let after =
        params.read("cursor", "value_error", "the next_cursor of an earlier answer", cursor::model_day);
    params.finish()?;
    let job = KnownJob::load(&api, &id).await?;
    let limit = usize::try_from(limit).unwrap_or(MAX_MODEL_DAYS);
    let page = page(&api.pool, job.id, &job.requested, status, model.as_deref(), after, limit).await?;
    let (count, job_id) = (page.details.len(), job.id.to_string());
    Ok(Json(ModelDays { job_id, count, model_days: page.details, next_cursor: page.next }))
}

/// Reads a page of up to `limit` model-days.
pub(super) async fn page(
    pool: &PgPool,
    job: JobId,
    requested: &JobRequest,
    status: StatusFilter,
    model: Option<&str>,
    after: Option<RequestedDay>,
    limit: usize,
) -> storage::Result<Page> {
    if let StatusFilter::In(state) = status {
        let filter = DayFilter { model, state: Some(state), after: after.as_ref(), until: None };
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = day_rows(pool, job, &filter, more).await?;
        return Ok(cut(rows.into_iter().map(|row| (row.day.clone(), Some(row))).collect(), limit));
    }
    let (mut found, mut after) = (Vec::new(), after);
    for _ in 0..MAX_CHUNKS {
        let (merged, last) = chunk(pool, job, requested, model, after.as_ref()).await?;
        found.extend(merged.into_iter().filter(|(_, row)| status == StatusFilter::Any || row.is_none()));
        match last {
            None => return Ok(cut(found, limit)),
            Some(_) if found.len() > limit => return Ok(cut(found, limit)),
            Some(day) => after = Some(day),
        }
    }
    let next = after.as_ref().map(cursor::after);
    Ok(Page { next, ..cut(found, limit) })
}

type Merged = BTreeMap<RequestedDay, Option<DayRow>>;

/// The next model-days, and the last of them if more follow.
async fn chunk(
    pool: &PgPool,
    job: JobId,
    requested: &JobRequest,
    model: Option<&str>,
    after: Option<&RequestedDay>,
) -> storage::Result<(Merged, Option<RequestedDay>)> {
    let days: Vec<RequestedDay> = requested.model_days(model, after).take(MAX_MODEL_DAYS + 1).collect();
    let last = (days.len() > MAX_MODEL_DAYS).then(|| days.last().cloned()).flatten();
    let filter = DayFilter { model, state: None, after, until: last.as_ref() };
    let mut merged: Merged = days.into_iter().map(|day| (day, None)).collect();
    for row in day_rows(pool, job, &filter, i64::MAX).await? {
        merged.insert(row.day.clone(), Some(row));
    }
    Ok((merged, last))
}

fn cut(mut found: Vec<(RequestedDay, Option<DayRow>)>, limit: usize) -> Page {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(day, _)| cursor::after(day));
    Page { details: found.into_iter().map(|(day, row)| detail(day, row)).collect(), next }
}

/// What went wrong, or why the day was skipped: as the original API wrote it, e.g. `Already completed`.
fn error(state: DayState, detail: Option<String>) -> Option<String> {
    let detail = detail?;
    if state != DayState::Skipped {
        return Some(detail);
    }
    let mut letters = detail.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect())
}

fn detail(day: RequestedDay, row: Option<DayRow>) -> ModelDayDetail {
    let RequestedDay { date, model, trial } = day;
    let (date, state) = (date.to_string(), row.as_ref().map_or("pending", |row| row.state.as_str()));
    let (started_at, ended_at) = row.as_ref().map_or((None, None), |row| (row.started_at, row.ended_at));
    ModelDayDetail {
        date,
        model,
        trial,
        status: state,
        error: row.and_then(|row| error(row.state, row.detail)),
        started_at: started_at.map(instant),
        completed_at: ended_at.map(instant),
        duration_seconds: started_at.zip(ended_at).map(|(from, to)| seconds(from, to)),
    }
}
