//! Turns the results of the service into HTTP responses.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::http::Problem;

use crate::accept::{Accepted, NotAccepted};
use crate::cancel::CancelError;
use crate::retry::NotRetried;

/// The response to a request that was accepted, now or before.
pub(super) fn accepted(accepted: Accepted) -> Response {
    let (body, replayed) = match accepted {
        Accepted::New(body) => (body, false),
        Accepted::Replayed(body) => (body, true),
    };
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if replayed {
        response.headers_mut().insert("Idempotency-Replayed", HeaderValue::from_static("true"));
    }
    response
}

impl From<NotAccepted> for Problem {
    fn from(error: NotAccepted) -> Self {
        match error {
            NotAccepted::Invalid(errors) => Self::validation(errors),
            NotAccepted::Refused(refusal) => match refusal.validation() {
                Some(error) => Self::validation(vec![error]),
                None => Self::new(StatusCode::BAD_REQUEST, refusal.detail()),
            },
            NotAccepted::Endpoint(_) => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            NotAccepted::NotReady(..) | NotAccepted::KeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            NotAccepted::CatalogueChanged => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(1)
            }
            NotAccepted::Full => Self::new(StatusCode::BAD_REQUEST, error.to_string()).retry_after(5),
            NotAccepted::CallerFull(..) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(5)
            }
            NotAccepted::Storage(error) => error.into(),
            NotAccepted::Message(_) | NotAccepted::Json(_) => Self::internal(&error),
        }
    }
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

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Storage(error) => error.into(),
            CancelError::Message(error) => Self::internal(&error),
        }
    }
}
