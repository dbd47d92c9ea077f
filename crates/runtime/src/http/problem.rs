//! Errors as RFC 9457 problem details. `detail` is the field that original clients read.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::request::ValidationError;
use serde::Serialize;

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

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ValidationError],
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
            detail: &self.detail,
            instance: INSTANCE.try_with(Clone::clone).ok(),
            trace_id: telemetry::current_trace_id(),
            errors: &self.errors,
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
