//! Cancelling a job: the cancellation is stored together with the command that carries it out.

use domain::events::event::JobCancel;
use domain::values::ids::JobId;
use runtime::audit;
use runtime::http::Caller;
use runtime::relay::Wake;
use storage::trigger::Cancellation;
use storage::{PgPool, StorageError};

/// Why a job is not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CancelError {
    #[error(transparent)]
    Message(#[from] contract::ContractError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Cancels a job. Cancelling it again has no effect and the same result.
pub(crate) async fn cancel(
    pool: &PgPool,
    wake: &Wake,
    caller: &Caller,
    job: JobId,
) -> Result<Cancellation, CancelError> {
    tracing::Span::current().record("job.id", tracing::field::display(job));
    let command = JobCancel { job, reason: "cancelled by its user".to_owned() };
    let messages = runtime::outgoing::job_cancel(&command)?;
    let cancelled = storage::trigger::cancel(pool, job, caller.name(), &messages).await?;
    if cancelled == (Cancellation::Cancelled { new: true }) {
        wake.wake();
        metrics::counter!("modelday_jobs_cancelled_total").increment(1);
        tracing::info!(job.id = %job, "Job {job}: cancelled by its user");
        audit::record(caller, "cancelled", format_args!("job {job}"));
    }
    Ok(cancelled)
}
