//! Accepting a job: read the request, decide what to run, and store the job with its message in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SubsecRound as _, Utc};
use domain::events::event::Event;
use domain::ingest::needed_symbols::outside_universe;
use domain::job::bounds;
use domain::job::request::{
    PathSegment, RequestLimits, RequestRefusal, TriggerRequest, UniverseChoice, ValidationError, resolve,
};
use domain::job::warning::Warning;
use domain::job::{Job, Model};
use domain::market::calendar::exchange_date;
use domain::values::ids::JobId;
use runtime::audit;
use runtime::deployment::Deployment;
use runtime::http::Caller;
use runtime::relay::Wake;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use storage::PgPool;
use storage::trigger::{Acceptance, Admission, IdempotencyKey};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::catalogue::{CatalogueMistake, endpoint_refusal};
use crate::catalogue_store::CatalogueStore;
use crate::config::Config;
use crate::current::Current;
use crate::readiness::{Keys, why_not_ready};

#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) config: Arc<Config>,
    pub(crate) catalogue: CatalogueStore,
    pub(crate) pool: PgPool,
    pub(crate) wake: Wake,
}

/// The response to an accepted request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct AcceptedBody {
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
    /// A sentence about what will run.
    message: String,
    /// Warnings that are known at once; the job may add more.
    warnings: Option<Vec<String>>,
    #[serde(flatten)]
    deployment: Deployment,
}

/// The job that a request leads to. It is not stored yet.
pub(crate) struct ProposedJob {
    pub(crate) request: TriggerRequest,
    pub(crate) job: Job,
    /// Models of it that cannot run, with the reasons.
    pub(crate) not_ready: BTreeMap<String, String>,
    /// The sentence of the response.
    pub(crate) message: String,
    pub(crate) warnings: Vec<String>,
}

/// The response to an accepted request, as JSON.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// A job was accepted.
    New(String),
    /// The response that the same request got before.
    Replayed(String),
}

/// Why a request is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NotAccepted {
    /// The body has invalid fields.
    #[error("the request is not valid")]
    Invalid(Vec<ValidationError>),
    /// The request cannot be run.
    #[error(transparent)]
    Refused(#[from] RequestRefusal),
    /// The idempotency key belongs to another request.
    #[error("Idempotency-Key was used for another request; use a new key")]
    KeyReused,
    /// `MAX_ACTIVE_JOBS` jobs are active.
    #[error("Another simulation job is already running or pending. Please wait for it to complete.")]
    Full,
    /// `MAX_ACTIVE_JOBS_PER_TOKEN` jobs of this token are active.
    #[error(
        "Token {0} has {1} active jobs, as many as MAX_ACTIVE_JOBS_PER_TOKEN allows; wait until one of them has ended"
    )]
    CallerFull(String, u32),
    /// A model's endpoint may not be called, or may not get the key that the model names.
    #[error("{}: {}; {}", .0.key, .0.problem, .0.fix)]
    Endpoint(CatalogueMistake),
    /// Models or universes were changed while the request was read.
    #[error("The models have just been changed; send the request again")]
    CatalogueChanged,
    /// A model cannot run.
    #[error("{0} is not ready: {1}")]
    NotReady(String, String),
    /// The job could not be encoded as a message.
    #[error(transparent)]
    Message(#[from] contract::ContractError),
    /// The response could not be encoded.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The job could not be stored.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
}

/// # Errors
/// Every field of `request` that means nothing.
pub(crate) fn refuse_unknown_fields(request: &TriggerRequest) -> Result<(), NotAccepted> {
    let refused = |name: &String| {
        let msg = "There is no such field; leave it out".to_owned();
        ValidationError::unknown(vec!["body".into(), name.as_str().into()], msg, Value::Null)
    };
    let errors: Vec<ValidationError> = request.unknown_fields.iter().map(refused).collect();
    if errors.is_empty() { Ok(()) } else { Err(NotAccepted::Invalid(errors)) }
}

/// # Errors
/// Every model that cannot run, at its place in the request.
fn refuse_not_ready(
    request: &TriggerRequest,
    not_ready: &BTreeMap<String, String>,
) -> Result<(), NotAccepted> {
    let refused = |(model, why): (&String, &String)| {
        let index = request.models.iter().position(|named| named == model);
        let place = ["body".into(), "models".into()].into_iter().chain(index.map(PathSegment::Index));
        let problem = format!("{model} is not ready: {why}");
        ValidationError::value(place.collect(), problem, model.as_str().into())
    };
    let errors: Vec<ValidationError> = not_ready.iter().map(refused).collect();
    if errors.is_empty() { Ok(()) } else { Err(NotAccepted::Invalid(errors)) }
}

impl Acceptor {
    /// Accepts the request of `body`. Nothing is stored unless it is accepted.
    pub(crate) async fn accept(
        &self,
        body: &Value,
        caller: &Caller,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, NotAccepted> {
        // Nearly always the state that was read last is the present one, which is checked when the job is stored.
        let mut current = self.catalogue.last_read().await?;
        loop {
            let accepted = self.accept_from(&current, body, caller, key, now).await;
            if accepted.is_ok() {
                return accepted;
            }
            // What an older state refuses, or was too old to store, the present one may accept.
            let present = self.catalogue.current().await?;
            if present.state == current.state {
                return accepted;
            }
            current = present;
        }
    }

    async fn accept_from(
        &self,
        current: &Current,
        body: &Value,
        caller: &Caller,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, NotAccepted> {
        let ProposedJob { request, job, not_ready, message, warnings } =
            self.propose(current, body, now).await?;
        if self.config.is_strict {
            refuse_unknown_fields(&request)?;
        }
        refuse_not_ready(&request, &not_ready)?;
        tracing::Span::current().record("job.id", tracing::field::display(job.id));
        let response = self.response(&job, message, warnings)?;
        self.store(caller, &job, Some(current.state), &request.normalised(), key, response).await
    }

    /// The job that `body` requests from that state of the catalogue. Fails like [`Acceptor::accept`], except that
    /// idempotency keys and the number of active jobs are not checked.
    pub(crate) async fn propose(
        &self,
        current: &Current,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<ProposedJob, NotAccepted> {
        let request = TriggerRequest::parse(body).map_err(NotAccepted::Invalid)?;
        let known = current.known();
        let last_completed: BTreeMap<_, _> = match request.start {
            Some(_) => BTreeMap::new(),
            None => {
                let names: Vec<String> = known.iter().map(|model| model.signature.clone()).collect();
                let rows = storage::trigger::last_completed(&self.pool, &request.experiment, &names).await?;
                rows.into_iter().collect()
            }
        };
        let today = self.config.today.unwrap_or_else(|| exchange_date(now));
        let limits = RequestLimits { max_days: self.config.max_days, today };
        let resolved = resolve(&request, &limits, &known, &last_completed)?;
        let universe = current.chosen_universe(&request.universe);
        let universe = universe.map_err(|error| NotAccepted::Invalid(vec![error]))?;
        let snapshot = |(signature, start): &(String, NaiveDate)| {
            let model = current.model(signature)?.entry.snapshot(*start, resolved.end);
            Some(Model { config_hash: current.hash_of(&model, &universe), ..model })
        };
        let models = resolved.models.iter().filter_map(snapshot).collect();
        let job = Job {
            id: JobId(Uuid::now_v7()),
            experiment: request.experiment.clone(),
            models,
            universe,
            start: resolved.start,
            end: resolved.end,
            options: request.options,
            accepted_at: now.trunc_subsecs(6),
            retry_of: None,
            unknown_fields: request.unknown_fields.clone(),
            requested_by: String::new(),
        };
        self.check_endpoints(&job)?;
        bounds::check_job(&job).map_err(RequestRefusal::from)?;
        let unknown = request.unknown_fields.iter().map(|name| Warning::unknown_field(name).message);
        let up_to_date = resolved.up_to_date().map(|model| Warning::up_to_date(model).message);
        let outside = match request.universe {
            UniverseChoice::Default => Vec::new(),
            UniverseChoice::Named(_) | UniverseChoice::Symbols(_) => outside_universe(&job),
        };
        let outside =
            outside.into_iter().map(|(model, symbols)| Warning::outside_universe(model, symbols).message);
        let warnings = unknown.chain(up_to_date).chain(outside).collect();
        let not_ready = self.not_ready(current, &job).await?;
        Ok(ProposedJob { message: resolved.message(), warnings, not_ready, request, job })
    }

    /// The models of a job that cannot run, with the reasons.
    async fn not_ready(&self, current: &Current, job: &Job) -> Result<BTreeMap<String, String>, NotAccepted> {
        let keys = Keys::of_executor(&self.pool, &job.models.iter().collect::<Vec<_>>()).await?;
        let listed = job.models.iter().filter_map(|model| current.model(&model.signature));
        let why =
            listed.filter_map(|listed| Some((listed.version.name.clone(), why_not_ready(listed, &keys)?)));
        Ok(why.collect())
    }

    /// # Errors
    /// When a model of the job needs a key that the executor does not have.
    pub(crate) async fn check_keys(&self, job: &Job) -> Result<(), NotAccepted> {
        let keys = Keys::of_executor(&self.pool, &job.models.iter().collect::<Vec<_>>()).await?;
        let missing = job.models.iter().find_map(|model| Some((&model.signature, keys.missing(model)?)));
        missing.map_or(Ok(()), |(model, why)| Err(NotAccepted::NotReady(model.clone(), why)))
    }

    /// # Errors
    /// When a model of the job may not be called, e.g. of a job that was accepted under other settings.
    pub(crate) fn check_endpoints(&self, job: &Job) -> Result<(), NotAccepted> {
        let endpoints = self.catalogue.endpoints();
        let refusal = job.models.iter().find_map(|model| endpoint_refusal(model, &endpoints.rules));
        refusal.map_or(Ok(()), |refusal| Err(NotAccepted::Endpoint(refusal)))
    }

    pub(crate) fn response(
        &self,
        job: &Job,
        message: String,
        warnings: Vec<String>,
    ) -> Result<String, NotAccepted> {
        Ok(serde_json::to_string(&AcceptedBody {
            job_id: job.id,
            status: "pending",
            retry_of: job.retry_of,
            total_model_days: job.total_model_days(),
            message,
            warnings: (!warnings.is_empty()).then_some(warnings),
            deployment: self.config.infrastructure.deployment,
        })?)
    }

    /// Stores the job of a caller with its message, and the response under the caller's idempotency key, unless the state of
    /// the catalogue is not `catalogue` any more. Two uses of a key are the same request when their `request` texts are equal.
    pub(crate) async fn store(
        &self,
        caller: &Caller,
        job: &Job,
        catalogue: Option<i64>,
        request: &str,
        key: Option<&str>,
        response: String,
    ) -> Result<Accepted, NotAccepted> {
        let request_hash: [u8; 32] = Sha256::digest(request).into();
        let requested = Job { requested_by: caller.name().to_owned(), ..job.clone() };
        let admission = storage::trigger::accept(
            &self.pool,
            Acceptance {
                job: job.id,
                accepted_at: job.accepted_at,
                message: runtime::outgoing::event(&Event::JobRequested(requested))?,
                max_active: self.config.max_active_jobs.into(),
                requested_by: caller.name(),
                max_active_of_caller: caller.token().map(|_| self.config.max_active_jobs_per_token.into()),
                catalogue,
                idempotency: key.map(|key| IdempotencyKey {
                    token: caller.token().unwrap_or_default(),
                    key,
                    request_hash: &request_hash,
                    response: &response,
                }),
            },
        )
        .await?;
        match admission {
            Admission::Accepted => {
                self.wake.wake_for_urgent_events();
                metrics::counter!("modelday_jobs_accepted_total").increment(1);
                tracing::info!(job.id = %job.id, "Job {}: accepted, {} to {}", job.id, job.start, job.end);
                match job.retry_of {
                    None => audit::record(caller, "triggered", format_args!("job {}", job.id)),
                    Some(of) => audit::record(caller, "retried", format_args!("job {of} as job {}", job.id)),
                }
                Ok(Accepted::New(response))
            }
            Admission::Replayed(response) => Ok(Accepted::Replayed(response)),
            Admission::KeyReused => Err(NotAccepted::KeyReused),
            Admission::CatalogueChanged => Err(NotAccepted::CatalogueChanged),
            Admission::Full => Err(NotAccepted::Full),
            Admission::CallerFull => {
                let max = self.config.max_active_jobs_per_token;
                Err(NotAccepted::CallerFull(caller.name().to_owned(), max))
            }
        }
    }
}
