//! Accepting a job: load -> decide -> store, in milliseconds.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::events::event::Event;
use domain::job::Job;
use domain::job::request::{Limits, Refusal, TriggerRequest, ValidationError, resolve};
use domain::job::warning::Warning;
use domain::market::calendar::exchange_date;
use domain::values::ids::JobId;
use runtime::deployment::Deployment;
use runtime::relay::Wake;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use storage::PgPool;
use storage::trigger::{Acceptance, Admission, Idempotency};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::config::Config;

/// What accepting needs.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) config: Arc<Config>,
    pub(crate) pool: PgPool,
    pub(crate) wake: Wake,
}

/// The answer to an accepted request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct Answer {
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    /// Always `pending`.
    status: &'static str,
    /// Of a retry: the job whose failed days this one runs again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    retry_of: Option<JobId>,
    /// Weekdays in the range, times models and their trials.
    total_model_days: usize,
    /// The same in words.
    message: String,
    /// What is known at once; the job may gather more.
    warnings: Option<Vec<String>>,
    #[serde(flatten)]
    deployment: Deployment,
}

/// What a request asks for.
pub(crate) struct Wanted {
    pub(crate) request: TriggerRequest,
    pub(crate) job: Job,
    /// The sentence of the answer.
    pub(crate) message: String,
    pub(crate) warnings: Vec<String>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// Its answer, as JSON.
    New(String),
    /// The answer that the same request got before, as JSON.
    Replayed(String),
}

/// Why a request is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NotAccepted {
    /// The body is not what it should be.
    #[error("the request is not valid")]
    Invalid(Vec<ValidationError>),
    /// The request cannot be run.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The idempotency key stands for another request.
    #[error("Idempotency-Key was used for another request; use a new key")]
    KeyReused,
    /// As many jobs are active as may be.
    #[error("Another simulation job is already running or pending. Please wait for it to complete.")]
    Full,
    /// The job could not be written as a message.
    #[error(transparent)]
    Message(#[from] contract::ContractError),
    /// The answer could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The job could not be stored.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
}

impl Acceptor {
    /// Accepts the request of `body`, or says why not. Nothing is stored unless it is accepted.
    ///
    /// # Errors
    /// As listed.
    pub(crate) async fn accept(
        &self,
        body: &Value,
        caller: &str,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, NotAccepted> {
        let Wanted { request, job, message, warnings } = self.wanted(body, now).await?;
        tracing::Span::current().record("job.id", tracing::field::display(job.id));
        let answer = self.answer(&job, message, warnings)?;
        self.store(&job, &request.normalised(), key.map(|key| (caller, key)), answer).await
    }

    /// The answer to an accepted job, as JSON.
    ///
    /// # Errors
    /// When the JSON writer refuses, which it does not for this type.
    pub(crate) fn answer(
        &self,
        job: &Job,
        message: String,
        warnings: Vec<String>,
    ) -> Result<String, NotAccepted> {
        Ok(serde_json::to_string(&Answer {
            job_id: job.id,
            status: "pending",
            retry_of: job.retry_of,
            total_model_days: job.total_model_days(),
            message,
            warnings: (!warnings.is_empty()).then_some(warnings),
            deployment: self.config.infrastructure.deployment,
        })?)
    }

    /// The job that `body` asks for. Nothing is stored.
    ///
    /// # Errors
    /// As [`Acceptor::accept`], but for keys and room, which only an acceptance needs.
    pub(crate) async fn wanted(&self, body: &Value, now: DateTime<Utc>) -> Result<Wanted, NotAccepted> {
        let request = TriggerRequest::parse(body).map_err(NotAccepted::Invalid)?;
        let known = self.config.catalogue.known();
        let last_completed: BTreeMap<_, _> = match request.start {
            Some(_) => BTreeMap::new(),
            None => {
                let names: Vec<String> = known.iter().map(|model| model.signature.clone()).collect();
                let rows = storage::trigger::last_completed(&self.pool, &request.experiment, &names).await?;
                rows.into_iter().collect()
            }
        };
        let today = self.config.today.unwrap_or_else(|| exchange_date(now));
        let limits = Limits { max_days: self.config.max_days, today };
        let resolved = resolve(&request, &limits, &known, &last_completed)?;
        let models = resolved
            .models
            .iter()
            .filter_map(|(signature, start)| self.config.catalogue.snapshot(signature, *start, resolved.end))
            .collect();
        let job = Job {
            id: JobId(Uuid::now_v7()),
            experiment: request.experiment.clone(),
            models,
            universe: self.config.universe.clone(),
            start: resolved.start,
            end: resolved.end,
            options: request.options,
            accepted_at: now.trunc_subsecs(6),
            retry_of: None,
        };
        let warnings = resolved.up_to_date().map(|model| Warning::up_to_date(model).message).collect();
        Ok(Wanted { message: resolved.message(), warnings, request, job })
    }

    /// Stores the job with its message. `request` is what a key stands for: equal texts ask for the same.
    ///
    /// # Errors
    /// As [`Acceptor::accept`].
    pub(crate) async fn store(
        &self,
        job: &Job,
        request: &str,
        key: Option<(&str, &str)>,
        answer: String,
    ) -> Result<Accepted, NotAccepted> {
        let request_hash: [u8; 32] = Sha256::digest(request).into();
        let admission = storage::trigger::accept(
            &self.pool,
            Acceptance {
                job: job.id,
                accepted_at: job.accepted_at,
                message: runtime::outgoing::event(&Event::JobRequested(job.clone()))?,
                max_active: self.config.max_active_jobs.into(),
                idempotency: key.map(|(token, key)| Idempotency {
                    token,
                    key,
                    request_hash: &request_hash,
                    answer: &answer,
                }),
            },
        )
        .await?;
        match admission {
            Admission::Accepted => {
                self.wake.wake();
                metrics::counter!("modelday_jobs_accepted_total").increment(1);
                tracing::info!(job.id = %job.id, "Job {}: accepted, {} to {}", job.id, job.start, job.end);
                Ok(Accepted::New(answer))
            }
            Admission::Replayed(answer) => Ok(Accepted::Replayed(answer)),
            Admission::KeyReused => Err(NotAccepted::KeyReused),
            Admission::Full => Err(NotAccepted::Full),
        }
    }
}
