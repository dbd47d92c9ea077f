//! Routes of the trigger service.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use domain::job::request::ValidationError;
use runtime::http::{Caller, Number, Problem, ProblemBody};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accept::{Accepted, Acceptor, Answer, NotAccepted};
use crate::asked::Asked;
use crate::cancel;
use crate::preview::Preview;
use crate::retry;

/// Longest idempotency key.
const LONGEST_KEY: usize = 200;

/// All routes of the service.
pub(crate) fn routes() -> OpenApiRouter<Acceptor> {
    OpenApiRouter::new()
        .routes(routes!(trigger))
        .routes(routes!(plan))
        .routes(routes!(models))
        .routes(routes!(cancel::cancel))
        .routes(routes!(retry::retry))
}

/// Start a job.
///
/// The answer comes at once; follow the job with `GET /simulate/status/{job_id}`. Days that are completed already
/// are not run again, unless `replace_existing` is true.
#[utoipa::path(post, path = "/simulate/trigger", tag = "jobs", security(("token" = ["trigger"])),
    request_body(content = Asked, description = "What to run."),
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, description =
        "The same key with the same request gets the same answer for 24 hours, and no second job.")),
    responses(
        (status = 200, description = "The job was accepted, or was accepted before under the same key.", body = Answer,
            headers(("Idempotency-Replayed" = Option<String>, description = "`true` on a repeated answer."))),
        (status = 400, description = "The request cannot be run: its dates, too many days, too many active jobs.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong, or the key was used for another request.",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn trigger(
    State(acceptor): State<Acceptor>,
    Extension(Caller(caller)): Extension<Caller>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = read(body)?;
    let key = idempotency_key(&headers)?;
    Ok(answer(acceptor.accept(&body, &caller, key, Utc::now()).await?))
}

/// What is answered about a job that was accepted, now or before.
pub(crate) fn answer(accepted: Accepted) -> Response {
    let (answer, replayed) = match accepted {
        Accepted::New(answer) => (answer, false),
        Accepted::Replayed(answer) => (answer, true),
    };
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if replayed {
        response.headers_mut().insert("Idempotency-Replayed", HeaderValue::from_static("true"));
    }
    response
}

/// What a job would do.
///
/// Takes the body of `POST /simulate/trigger`. Nothing is stored, sent or held.
#[utoipa::path(post, path = "/simulate/plan", tag = "jobs", security(("token" = ["read"])),
    request_body(content = Asked, description = "What would be run."),
    responses(
        (status = 200, description = "What would run, be downloaded and cost.", body = Preview),
        (status = 400, description = "The request cannot be run.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
async fn plan(
    State(acceptor): State<Acceptor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(acceptor.preview(&read(body)?, Utc::now()).await?))
}

fn read(body: Result<Bytes, BytesRejection>) -> Result<Value, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Request body is larger than 1 MiB; send a smaller one",
        ),
        status => Problem::new(status, rejection.body_text()),
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        let loc = vec!["body".into(), error.column().into()];
        let msg = format!("JSON decode error: {error}");
        Problem::validation(vec![ValidationError { kind: "json_invalid", loc, msg, input: json!({}) }])
    })
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("Idempotency-Key") else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key)),
        _ => {
            let loc = vec!["header".into(), "Idempotency-Key".into()];
            let problem = format!("Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters");
            let input = json!(String::from_utf8_lossy(value.as_bytes()));
            Err(Problem::validation(vec![ValidationError::value(loc, problem, input)]))
        }
    }
}

impl From<NotAccepted> for Problem {
    fn from(error: NotAccepted) -> Self {
        match error {
            NotAccepted::Invalid(errors) => Self::validation(errors),
            NotAccepted::Refused(refusal) => match refusal.validation() {
                Some(error) => Self::validation(vec![error]),
                None => Self::new(StatusCode::BAD_REQUEST, refusal.detail()),
            },
            NotAccepted::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            NotAccepted::Full => Self::new(StatusCode::BAD_REQUEST, error.to_string()).retry_after(5),
            NotAccepted::Message(_) | NotAccepted::Json(_) | NotAccepted::Storage(_) => {
                Self::internal(&error)
            }
        }
    }
}

/// A model of the configuration.
#[derive(Serialize, ToSchema)]
struct ModelEntry {
    /// Its name.
    signature: String,
    /// How it decides: `recorded`, `policy`, `llm` or `http`.
    kind: &'static str,
    /// Whether it runs when a request names no models.
    enabled: bool,
    /// Cash before its first day.
    initial_cash: Number,
    /// Separate portfolios that it runs.
    trials: u32,
    /// Last date that its knowledge may reach; null when that is not known.
    training_cutoff: Option<String>,
    /// Hash of everything in its configuration that affects the outcome.
    config_hash: String,
}

/// The models of the configuration.
#[derive(Serialize, ToSchema)]
struct Models {
    count: usize,
    models: Vec<ModelEntry>,
}

/// The configured models.
#[utoipa::path(get, path = "/models", tag = "jobs", security(("token" = ["read"])), responses(
    (status = 200, description = "All of them, enabled or not, in the order of the configuration.", body = Models),
))]
async fn models(State(acceptor): State<Acceptor>) -> Json<Models> {
    let entries = acceptor.config.catalogue.entries().iter();
    let models: Vec<ModelEntry> = entries
        .map(|entry| ModelEntry {
            signature: entry.signature.clone(),
            kind: entry.kind.as_str(),
            enabled: entry.enabled,
            initial_cash: entry.initial_cash.into(),
            trials: entry.trials,
            training_cutoff: entry.training_cutoff.map(|date| date.to_string()),
            config_hash: entry.config_hash.clone(),
        })
        .collect();
    Json(Models { count: models.len(), models })
}
