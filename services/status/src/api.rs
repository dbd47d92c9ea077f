//! Routes of the status service.

mod cells;
mod cursor;
mod dead_letters;
mod jobs;
mod leaderboard;
mod query;
mod results;
mod stale;
mod usage;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::calendar::exchange_date;
use runtime::http::Problem;
use storage::PgPool;

use crate::config::Reading;

/// What all routes share.
#[derive(Clone)]
pub(crate) struct Api {
    pool: PgPool,
    reading: Arc<Reading>,
}

/// All routes of the service.
pub(crate) fn routes(pool: PgPool, reading: Reading) -> Router {
    Router::new()
        .route("/simulate/status/{job_id}", get(jobs::status))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{job_id}", get(jobs::status))
        .route("/jobs/{job_id}/model-days", get(jobs::model_days))
        .route("/results", get(results::results))
        .route("/leaderboard", get(leaderboard::leaderboard))
        .route("/dead-letters", get(dead_letters::list))
        .with_state(Api { pool, reading: Arc::new(reading) })
}

impl Api {
    /// The date in New York, or the one that the installation lives on.
    fn today(&self) -> NaiveDate {
        self.reading.today.unwrap_or_else(|| exchange_date(Utc::now()))
    }
}

/// An instant as the API writes it.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Seconds between two instants.
fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}

fn bad_request(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}
