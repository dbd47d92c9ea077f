//! `POST /jobs/{id}/cancel` and `/jobs/{id}/retry`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::Utc;
use domain::values::ids::JobId;
use runtime::http::{Caller, Problem, ProblemBody};
use serde::Serialize;
use storage::trigger::Cancellation;
use utoipa::ToSchema;

use super::request::idempotency_key;
use super::response;
use crate::accept::{AcceptedBody, Acceptor};

/// A job that is cancelled.
#[derive(Serialize, ToSchema)]
pub(super) struct CancelledJob {
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    /// How the job ends: always `cancelled`. Its status changes to that when all its work has stopped.
    status: &'static str,
}

/// Cancel a job.
///
/// The job ends as `cancelled`, whatever its state: calls in progress are aborted, days that have not ended are skipped,
/// completed days are kept. A new job may run the skipped days. Cancelling it again gets the same response.
#[utoipa::path(post, path = "/jobs/{job_id}/cancel", tag = "jobs", security(("token" = ["trigger"])),
    params(("job_id" = String, Path, description = "The job.")),
    responses(
        (status = 200, description = "The job is cancelled, by this request or by an earlier one.", body = CancelledJob),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The job has ended by itself; `detail` says how.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn cancel(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CancelledJob>, Problem> {
    let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Job {id} not found"));
    let job: JobId = id.parse().map_err(|_| unknown())?;
    match crate::cancel::cancel(&acceptor.pool, &acceptor.wake, &caller, job).await? {
        Cancellation::Cancelled { .. } => Ok(Json(CancelledJob { job_id: job, status: "cancelled" })),
        Cancellation::Ended(state) => {
            let detail = format!(
                "Job {job} has ended already: it is {}. Only an active job can be cancelled.",
                state.as_str()
            );
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
        Cancellation::Unknown => Err(unknown()),
    }
}

/// Run the failed days of a job again.
///
/// Makes a new job of the model-days that failed, by model, trial and date, with the configuration that the models had.
/// Days that were skipped are not part of it; trigger their dates again to run them. Later days of the same portfolios
/// did not start from the retried day: they become stale, and `reprocess_stale` runs them again.
#[utoipa::path(post, path = "/jobs/{job_id}/retry", tag = "jobs", security(("token" = ["trigger"])),
    params(
        ("job_id" = String, Path, description = "The job that has ended."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, description =
            "The same key with the same request gets the same response for 24 hours, and no second job."),
    ),
    responses(
        (status = 200, description = "The new job was accepted, or was accepted before under the same key.",
            body = AcceptedBody,
            headers(("Idempotency-Replayed" = Option<String>, description = "`true` on a repeated response."))),
        (status = 400, description = "Too many jobs are active, or the endpoint of a model may not be called.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The job has not ended, or none of its model-days failed.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The key is invalid, or was used for another request.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn retry(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    Ok(response::accepted(crate::retry::retry(&acceptor, &id, &caller, key, Utc::now()).await?))
}
