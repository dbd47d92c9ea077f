//! How responses write instants and durations, and the error of status 400.

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use runtime::http::Problem;

/// An instant with microseconds, in UTC.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}

pub(super) fn bad_request(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}
