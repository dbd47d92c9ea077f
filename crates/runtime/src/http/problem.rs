//! Errors as RFC 9457 problem details. `detail` is the field that original clients read.

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

/// Answers a request for `path`; problems within tell it as their `instance`.
pub(super) async fn about<F: Future>(path: String, answer: F) -> F::Output {
    INSTANCE.scope(path, answer).await
}

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<ValidationError>,
    retry_after: Option<u64>,
}

/// An error answer, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// Always `about:blank`: the status tells the kind.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong, and what to do about it.
    detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The trace of the request; the log knows more under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Of a 422: every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<InvalidField>)]
    errors: Vec<ValidationError>,
}

/// One field that is wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain's ValidationError, which knows nothing of HTTP")]
struct InvalidField {
    /// The rule that does not hold.
    r#type: String,
    /// Where it stands: `body`, `query`, `path` or `header`, then names and places.
    loc: Vec<Value>,
    /// What is wrong with it.
    msg: String,
    /// What was sent.
    input: Value,
}

impl Problem {
    /// A problem with a detail that tells what to do.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// The request's content is wrong.
    pub fn validation(errors: Vec<ValidationError>) -> Self {
        let detail = ValidationError::summary(&errors);
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// Something of ours went wrong; the cause goes to the log, not to the client.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "a request was not answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error; the log knows more under this trace_id",
        )
    }

    /// The same problem, with the seconds after which to try again.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same problem, about these fields.
    #[must_use]
    pub fn with_errors(self, errors: Vec<ValidationError>) -> Self {
        Self { errors, ..self }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<storage::StorageError> for Problem {
    fn from(error: storage::StorageError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            instance: INSTANCE.try_with(Clone::clone).ok(),
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
