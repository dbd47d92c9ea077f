//! `POST /jobs/{id}/retry`: a new job of the model-days that failed, under the configuration that they had.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, SubsecRound as _, Utc};
use domain::events::event::Event;
use domain::job::Job;
use domain::job::retry::retry as retried;
use domain::values::ids::JobId;
use runtime::http::{Caller, Problem, ProblemBody};
use uuid::Uuid;

use crate::accept::{Accepted, Acceptor, Answer, NotAccepted};
use crate::api::{answer, idempotency_key};

/// Why a job is not retried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRetried {
    /// Nobody accepted it.
    #[error("Job {0} not found")]
    Unknown(String),
    /// It is active.
    #[error("Job {0} has not ended. Wait for its end, or cancel it, before you retry it.")]
    Active(JobId),
    /// Nothing of it failed.
    #[error(
        "Job {0} is {1} and has no failed model-day, so there is nothing to retry. To run days that were skipped, \
         trigger their dates again."
    )]
    NothingFailed(JobId, &'static str),
    /// The new job is not accepted.
    #[error(transparent)]
    NotAccepted(#[from] NotAccepted),
}

impl From<NotRetried> for Problem {
    fn from(error: NotRetried) -> Self {
        match error {
            NotRetried::Unknown(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            NotRetried::Active(_) | NotRetried::NothingFailed(..) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            NotRetried::NotAccepted(problem) => problem.into(),
        }
    }
}

/// Run the failed days of a job again.
///
/// Makes a new job with just the model-days that failed, by model, trial and date, under the configuration that the
/// models had. Days that were skipped are no part of it; trigger their dates again to run them. Later days of the same
/// portfolios continued without the retried one: they are stale then, and `reprocess_stale` runs them again.
#[utoipa::path(post, path = "/jobs/{job_id}/retry", tag = "jobs", security(("token" = ["trigger"])),
    params(
        ("job_id" = String, Path, description = "The job that has ended."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, description =
            "The same key with the same request gets the same answer for 24 hours, and no second job."),
    ),
    responses(
        (status = 200, description = "The new job was accepted, or was accepted before under the same key.",
            body = Answer,
            headers(("Idempotency-Replayed" = Option<String>, description = "`true` on a repeated answer."))),
        (status = 400, description = "Too many jobs are active.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "Nobody accepted such a job.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The job has not ended, or nothing of it failed.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The key is wrong, or was used for another request.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn retry(
    State(acceptor): State<Acceptor>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let accepted = acceptor.retry(&id, &caller, key, Utc::now()).await?;
    Ok(answer(accepted))
}

impl Acceptor {
    async fn retry(
        &self,
        id: &str,
        caller: &str,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, NotRetried> {
        let unknown = || NotRetried::Unknown(id.to_owned());
        let of: JobId = id.parse().map_err(|_| unknown())?;
        let row = storage::trigger::accepted(&self.pool, of).await.map_err(NotAccepted::Storage)?;
        let row = row.ok_or_else(unknown)?;
        let Some(ended) = row.ended else { return Err(NotRetried::Active(of)) };
        let failed = storage::trigger::failed_days(&self.pool, of).await.map_err(NotAccepted::Storage)?;
        let original = job_of(&row.body)?;
        let job = retried(&original, &failed, JobId(Uuid::now_v7()), now.trunc_subsecs(6));
        let job = job.ok_or(NotRetried::NothingFailed(of, ended.as_str()))?;
        tracing::Span::current().record("job.id", tracing::field::display(job.id));
        let answer = self.answer(&job, message(&job, of), Vec::new())?;
        Ok(self.store(&job, &format!("retry {of}"), key.map(|key| (caller, key)), answer).await?)
    }
}

fn message(job: &Job, of: JobId) -> String {
    let dates = job.models.iter().flat_map(|model| {
        model.trials_asked().flat_map(|trial| model.dates(trial, job.end)).collect::<Vec<_>>()
    });
    let dates = dates.collect::<std::collections::BTreeSet<_>>().len();
    format!("Simulation job created for {dates} dates, {} models (retry of {of})", job.models.len())
}

fn job_of(body: &str) -> Result<Job, NotAccepted> {
    match contract::decode_event(contract::kind::JOB_REQUESTED, body.as_bytes())? {
        Event::JobRequested(job) => Ok(job),
        other => Err(contract::ContractError::UnknownType(contract::kind::of(&other).to_owned()).into()),
    }
}
