//! Retrying a job: a new job of the model-days that failed, with the configuration that they had.

use std::collections::BTreeSet;

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::events::event::Event;
use domain::job::Job;
use domain::job::retry::retry as retried;
use domain::values::ids::JobId;
use runtime::http::Caller;
use uuid::Uuid;

use crate::accept::{Accepted, Acceptor, NotAccepted};

/// Why a job is not retried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRetried {
    #[error("Job {0} not found")]
    Unknown(String),
    #[error("Job {0} has not ended. Wait for its end, or cancel it, before you retry it.")]
    Active(JobId),
    #[error(
        "Job {0} is {1} and has no failed model-day, so there is nothing to retry. To run days that were skipped, \
         trigger their dates again."
    )]
    NothingFailed(JobId, &'static str),
    #[error(transparent)]
    NotAccepted(#[from] NotAccepted),
}

/// Accepts a new job of the failed model-days of job `id`.
pub(crate) async fn retry(
    acceptor: &Acceptor,
    id: &str,
    caller: &Caller,
    key: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Accepted, NotRetried> {
    let unknown = || NotRetried::Unknown(id.to_owned());
    let of: JobId = id.parse().map_err(|_| unknown())?;
    let row = storage::trigger::accepted(&acceptor.pool, of).await.map_err(NotAccepted::Storage)?;
    let row = row.ok_or_else(unknown)?;
    let Some(ended) = row.ended else { return Err(NotRetried::Active(of)) };
    let failed = storage::trigger::failed_days(&acceptor.pool, of).await.map_err(NotAccepted::Storage)?;
    let original = job_of(&row.body)?;
    let job = retried(&original, &failed, JobId(Uuid::now_v7()), now.trunc_subsecs(6));
    let job = job.ok_or(NotRetried::NothingFailed(of, ended.as_str()))?;
    acceptor.check_endpoints(&job)?;
    acceptor.check_keys(&job).await?;
    tracing::Span::current().record("job.id", tracing::field::display(job.id));
    let response = acceptor.response(&job, message(&job, of), Vec::new())?;
    Ok(acceptor.store(caller, &job, None, &format!("retry {of}"), key, response).await?)
}

fn message(job: &Job, of: JobId) -> String {
    let dates = job.models.iter().flat_map(|model| {
        model.requested_trials().flat_map(|trial| model.dates(trial, job.end)).collect::<Vec<_>>()
    });
    let dates = dates.collect::<BTreeSet<_>>().len();
    format!("Simulation job created for {dates} dates, {} models (retry of {of})", job.models.len())
}

fn job_of(body: &str) -> Result<Job, NotAccepted> {
    match contract::decode_event(contract::kind::JOB_REQUESTED, body.as_bytes())? {
        Event::JobRequested(job) => Ok(job),
        other => Err(contract::ContractError::UnknownType(contract::kind::of(&other).to_owned()).into()),
    }
}
