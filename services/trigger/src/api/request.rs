//! Reads the body and the idempotency key of a request.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use domain::job::request::ValidationError;
use runtime::http::Problem;
use serde_json::{Value, json};

/// Most bytes of an idempotency key.
const MAX_KEY_BYTES: usize = 200;

/// A body of at most 1 MiB.
pub(super) fn json_body(body: Result<Bytes, BytesRejection>) -> Result<Value, Problem> {
    json_within(body, 1)
}

/// A body of at most so many MiB, which is the limit of its route.
pub(super) fn json_within(body: Result<Bytes, BytesRejection>, mib: usize) -> Result<Value, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("Request body is larger than {mib} MiB; send a smaller one");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
        status => Problem::new(status, rejection.body_text()),
    })?;
    // Some programs begin a text with a byte order mark.
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
    serde_json::from_slice(text).map_err(|error| {
        let loc = vec!["body".into(), error.column().into()];
        let msg = format!("JSON decode error: {error}");
        Problem::validation(vec![ValidationError { kind: "json_invalid", loc, msg, input: json!({}) }])
    })
}

/// The header `Idempotency-Key`, if the request has one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("Idempotency-Key") else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok(key) if (1..=MAX_KEY_BYTES).contains(&key.len()) => Ok(Some(key)),
        _ => {
            let loc = vec!["header".into(), "Idempotency-Key".into()];
            let problem = format!("Idempotency-Key must be 1 to {MAX_KEY_BYTES} visible ASCII characters");
            let input = json!(String::from_utf8_lossy(value.as_bytes()));
            Err(Problem::validation(vec![ValidationError::value(loc, problem, input)]))
        }
    }
}
