//! `POST /jobs/{id}/cancel`: the cancellation is stored with the command that carries it out.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::events::event::JobCancel;
use domain::values::ids::JobId;
use runtime::http::{Problem, ProblemBody};
use serde::Serialize;
use storage::trigger::Cancellation;
use utoipa::ToSchema;

use crate::accept::Acceptor;

/// A job that is cancelled.
#[derive(Serialize, ToSchema)]
pub(crate) struct CancelledJob {
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    /// How the job ends: always `cancelled`. Its status shows it as soon as nothing is under way any more.
    status: &'static str,
}

/// Cancel a job.
///
/// It ends as `cancelled`, wherever it is: calls under way are broken off, days that have not ended are skipped,
/// completed days stay. A new job may run the others. Asking again gets the same answer.
#[utoipa::path(post, path = "/jobs/{job_id}/cancel", tag = "jobs", security(("token" = ["trigger"])),
    params(("job_id" = String, Path, description = "The job.")),
    responses(
        (status = 200, description = "The job is cancelled, by this request or by an earlier one.", body = CancelledJob),
        (status = 404, description = "Nobody accepted such a job.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The job has ended by itself; `detail` says how.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn cancel(
    State(acceptor): State<Acceptor>,
    Path(id): Path<String>,
) -> Result<Json<CancelledJob>, Problem> {
    let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Job {id} not found"));
    let job: JobId = id.parse().map_err(|_| unknown())?;
    match acceptor.cancel(job).await? {
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

impl Acceptor {
    async fn cancel(&self, job: JobId) -> Result<Cancellation, Problem> {
        tracing::Span::current().record("job.id", tracing::field::display(job));
        let command = JobCancel { job, reason: "cancelled by its user".to_owned() };
        let messages =
            runtime::outgoing::job_cancel(&command).map_err(|problem| Problem::internal(&problem))?;
        let cancelled = storage::trigger::cancel(&self.pool, job, &messages).await;
        let cancelled = cancelled.map_err(|problem| Problem::internal(&problem))?;
        if cancelled == (Cancellation::Cancelled { new: true }) {
            self.wake.wake();
            metrics::counter!("modelday_jobs_cancelled_total").increment(1);
            tracing::info!(job.id = %job, "Job {job}: cancelled by its user");
        }
        Ok(cancelled)
    }
}
