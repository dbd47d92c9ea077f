//! Errors as RFC 9457 problem details. `detail` is the field that clients of the original API read.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::job::request::ValidationError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::telemetry;

tokio::task_local! {
    /// The path of the request that is being answered.
    static INSTANCE: String;
}

/// Runs the handler of a request for `path`, which its problems name as their `instance`.
pub(super) async fn with_instance<F: Future>(path: String, handler: F) -> F::Output {
    INSTANCE.scope(path, handler).await
}

/// An error response.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<ValidationError>,
    retry_after: Option<u64>,
}

/// An error response, as RFC 9457 defines it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: the status says which kind of error it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status; absent where clients of the original API would take it for the status of a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    status: Option<u16>,
    /// What is wrong, and what to do about it.
    detail: String,
    /// The requested path.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The trace of the request, by which the log can be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// With status 422: every invalid field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<InvalidField>)]
    errors: Vec<ValidationError>,
}

/// One invalid field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain's ValidationError, which is independent of HTTP")]
struct InvalidField {
    /// The name of the violated rule.
    r#type: String,
    /// Path to the field: `body`, `query`, `path` or `header`, then names and indices.
    loc: Vec<Value>,
    /// What is wrong with it.
    msg: String,
    /// The value in the request.
    input: Value,
}

impl Problem {
    /// `detail` is for people: what is wrong, and what to do about it.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// Status 422: fields of the request are invalid.
    pub fn validation(errors: Vec<ValidationError>) -> Self {
        let detail = ValidationError::summary(&errors);
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// Status 500. The cause goes to the log, not to the client.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "a request was not answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error; the log knows more under this trace_id",
        )
    }

    /// Adds the header `Retry-After`.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Replaces the invalid fields.
    #[must_use]
    pub fn with_errors(self, errors: Vec<ValidationError>) -> Self {
        Self { errors, ..self }
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<storage::StorageError> for Problem {
    /// Status 503 when the same may work in a moment, otherwise 500.
    fn from(error: storage::StorageError) -> Self {
        if !error.is_transient() {
            return Self::internal(&error);
        }
        tracing::warn!("a request was not answered: {error}");
        let detail = "The database does not answer at the moment; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let instance = INSTANCE.try_with(Clone::clone).ok();
        let is_of_a_job = instance.as_ref().is_some_and(|path| path.starts_with("/simulate/status/"));
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: (!is_of_a_job).then_some(self.status.as_u16()),
            detail: self.detail,
            instance,
            trace_id: telemetry::current_trace_id(),
            errors: self.errors,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
