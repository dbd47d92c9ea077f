//! `GET /jobs/{id}/trace`: in which trace a job, or one of its model-days, was run.

use axum::Json;
use axum::extract::{Path, State};
use domain::job::request::ValidationError;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::status::{TracedDay, day_traceparent};
use utoipa::ToSchema;

use super::known_job::KnownJob;
use super::state::Api;
use crate::trace_links::trace_id;

/// A trace.
#[derive(Serialize, ToSchema)]
#[schema(as = Trace)]
pub(super) struct TraceDetail {
    /// Null when it is not known.
    trace_id: Option<String>,
    /// Where it is shown; null when that is not known (`TRACE_URL_TEMPLATE`).
    trace_url: Option<String>,
}

impl TraceDetail {
    pub(super) fn of(api: &Api, trace_id: Option<&str>) -> Self {
        let trace_url = trace_id.and_then(|id| api.settings.trace_links.url(id));
        Self { trace_id: trace_id.map(str::to_owned), trace_url }
    }
}

/// The trace of a job, or of one of its model-days.
///
/// The trace of a model-day is that of its last event; it is null while the day has none, and for a day that was skipped.
#[utoipa::path(get, path = "/jobs/{job_id}/trace", operation_id = "trace", tag = "jobs", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("model" = Option<String>, Query, description = "With `date`: that of a day of this model."),
        ("date" = Option<String>, Query, format = "date", description = "With `model`: that of this day."),
        ("trial" = Option<i64>, Query, minimum = 0, maximum = 999, description = "With `model`: that of a day of this trial; 0 when absent."),
    ),
    responses(
        (status = 200, description = "The trace.", body = TraceDetail),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn trace(
    State(api): State<Api>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<TraceDetail>, Problem> {
    let (model, date) = (params.filter("model"), params.date("date"));
    let trial = params.number("trial", 0, 999);
    params.finish()?;
    let job = KnownJob::load(&api, &id).await?;
    let (model, date) = match (model, date) {
        (None, None) if trial.is_none() => {
            return Ok(Json(TraceDetail::of(&api, job.view.trace_id.as_deref())));
        }
        (Some(model), Some(date)) => (model, date),
        _ => return Err(incomplete()),
    };
    let trial = trial.and_then(|trial| u32::try_from(trial).ok()).unwrap_or_default();
    let traceparent = day_traceparent(&api.pool, job.id, TracedDay { model: &model, trial, date }).await?;
    Ok(Json(TraceDetail::of(&api, traceparent.as_deref().and_then(trace_id))))
}

fn incomplete() -> Problem {
    Problem::validation(vec![ValidationError {
        kind: "missing",
        loc: vec!["query".into(), "model".into()],
        msg: "A model-day is named by model and date".to_owned(),
        input: Value::Null,
    }])
}
