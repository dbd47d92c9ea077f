//! Routes of the executor: a job's bundle, and a model-day in full, with the conversation of an agent's.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{NaiveDate, SecondsFormat};
use domain::ids::JobId;
use runtime::http::Problem;
use serde::Deserialize;
use serde_json::{Value, json};
use storage::execution::agents::{DayKey, ended_day};

use crate::Executor;
use crate::bundle::bundle;

/// `GET /jobs/{id}/bundle` and `GET /jobs/{id}/model-days/{model}/{date}`.
pub(crate) fn routes(executor: Arc<Executor>) -> Router {
    Router::new()
        .route("/jobs/{id}/bundle", get(bundle))
        .route("/jobs/{id}/model-days/{model}/{date}", get(model_day))
        .with_state(executor)
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    trial: u32,
}

async fn model_day(
    State(executor): State<Arc<Executor>>,
    Path((job, model, date)): Path<(String, String, String)>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let unknown = || {
        let detail = format!("Job {job} has no ended model-day of {model} on {date}");
        Problem::new(StatusCode::NOT_FOUND, detail)
    };
    let Query(Which { trial }) =
        which.map_err(|_| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "trial must be a number from 0"))?;
    let session: NaiveDate = date
        .parse()
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "Invalid date format. Expected YYYY-MM-DD"))?;
    let id: JobId = job.parse().map_err(|_| unknown())?;
    let key = DayKey { job: id, model: model.clone(), trial, date: session };
    let day = ended_day(&executor.pool, &key).await.map_err(|problem| Problem::internal(&problem))?;
    let day = day.ok_or_else(unknown)?;
    let said = |field: &str| day.conversation.as_ref().and_then(|said| said.get(field)).cloned();
    Ok(Json(json!({
        "job_id": job,
        "model": model,
        "trial": trial,
        "date": date,
        "status": day.state,
        "error": day.detail,
        "attempt": day.attempt,
        "revision": day.revision,
        "completed_at": day.ended_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "end_reason": day.reason,
        "summary": said("summary"),
        "usage": said("usage"),
        "transcript": said("turns").unwrap_or_else(|| json!([])),
    })))
}
