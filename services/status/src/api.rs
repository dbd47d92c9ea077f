//! Routes of the status service.

mod cells;
mod cursor;
mod dashboard;
mod dead_letters;
mod events;
mod jobs;
mod leaderboard;
mod results;
mod stale;
mod tables;
mod usage;
mod view;
mod warning;

use std::sync::Arc;

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::market::calendar::exchange_date;
use runtime::http::Problem;
use runtime::relay::Wake;
use storage::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Reading;
use crate::feed::Feed;

/// What all routes share.
#[derive(Clone)]
pub(crate) struct Api {
    pool: PgPool,
    reading: Arc<Reading>,
    feed: Feed,
    wake: Wake,
}

/// All routes of the service.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(jobs::status))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::job))
        .routes(routes!(jobs::model_days))
        .routes(routes!(results::results))
        .routes(routes!(leaderboard::leaderboard))
        .routes(routes!(dashboard::page))
        .routes(routes!(dashboard::file))
        .routes(routes!(events::of_job))
        .routes(routes!(events::of_all))
        .routes(routes!(tables::trades))
        .routes(routes!(tables::positions))
        .routes(routes!(tables::equity))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::letter))
        .routes(routes!(dead_letters::replay))
        .routes(routes!(dead_letters::discard))
}

impl Api {
    /// Routes that read through `pool`, stream from `feed`, and call `wake` for what they send.
    pub(crate) fn new(pool: PgPool, reading: Reading, feed: Feed, wake: Wake) -> Self {
        Self { pool, reading: Arc::new(reading), feed, wake }
    }

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
