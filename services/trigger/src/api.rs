//! Routes of the trigger service.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;
use domain::request::ValidationError;
use runtime::http::Problem;
use serde_json::{Value, json};

use crate::accept::{Accepted, Acceptor, NotAccepted};
use crate::preview::Preview;

/// Longest idempotency key.
const LONGEST_KEY: usize = 200;

/// `POST /simulate/trigger`, `POST /simulate/plan` and `GET /models`.
pub(crate) fn routes(acceptor: Acceptor) -> Router {
    Router::new()
        .route("/simulate/trigger", post(trigger))
        .route("/simulate/plan", post(plan))
        .route("/models", get(models))
        .with_state(acceptor)
}

async fn trigger(
    State(acceptor): State<Acceptor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = read(body)?;
    let key = idempotency_key(&headers)?;
    let (answer, replayed) = match acceptor.accept(&body, key, Utc::now()).await? {
        Accepted::New(answer) => (answer, false),
        Accepted::Replayed(answer) => (answer, true),
    };
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if replayed {
        response.headers_mut().insert("Idempotency-Replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// What the same body would do if it were triggered now; nothing is stored or sent.
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

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
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

async fn models(State(acceptor): State<Acceptor>) -> Json<Value> {
    let models: Vec<Value> = acceptor
        .config
        .catalogue
        .entries()
        .iter()
        .map(|entry| {
            json!({
                "signature": entry.signature,
                "kind": entry.kind.as_str(),
                "enabled": entry.enabled,
                "initial_cash": entry.initial_cash,
                "trials": entry.trials,
                "training_cutoff": entry.training_cutoff,
                "config_hash": entry.config_hash,
            })
        })
        .collect();
    Json(json!({ "count": models.len(), "models": models }))
}
