//! `GET /jobs/{id}/failures`: why days of a job failed.

use axum::Json;
use axum::extract::{Path, State};
use runtime::http::{Problem, ProblemBody};
use serde::Serialize;
use storage::status::{FailureRow, failures_by_cause};
use utoipa::ToSchema;

use super::known_job::KnownJob;
use super::state::Api;

/// Most causes of a response.
const MAX_CAUSES: i64 = 100;

/// Why days of a job failed.
#[derive(Serialize, ToSchema)]
pub(super) struct Failures {
    job_id: String,
    count: usize,
    failures: Vec<Failure>,
}

/// The failed days with one cause.
#[derive(Serialize, ToSchema)]
struct Failure {
    /// Why the first of them failed.
    error: String,
    /// How many days failed so.
    days: i64,
    /// The models concerned.
    models: Vec<String>,
    first_date: String,
    last_date: String,
    /// The model of the first of them.
    model: String,
    /// Its trial.
    trial: u32,
}

impl From<FailureRow> for Failure {
    fn from(row: FailureRow) -> Self {
        Self {
            error: row.error,
            days: row.days,
            models: row.models,
            first_date: row.first_date.to_string(),
            last_date: row.last_date.to_string(),
            model: row.model,
            trial: row.trial,
        }
    }
}

/// Why days of a job failed: each cause once, the most frequent first, up to 100.
///
/// Errors that differ only in dates, ids and long numbers have one cause.
#[utoipa::path(get, path = "/jobs/{job_id}/failures", operation_id = "job_failures", tag = "jobs",
    security(("token" = ["read"])),
    params(("job_id" = String, Path, description = "The job.")),
    responses(
        (status = 200, description = "The causes; none when no day failed.", body = Failures),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn failures(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Failures>, Problem> {
    let job = KnownJob::load(&api, &id).await?;
    let rows = failures_by_cause(&api.pool, job.id, MAX_CAUSES).await?;
    let failures: Vec<Failure> = rows.into_iter().map(Into::into).collect();
    Ok(Json(Failures { job_id: job.id.to_string(), count: failures.len(), failures }))
}
