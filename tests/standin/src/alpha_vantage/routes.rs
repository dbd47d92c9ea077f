//! The routes: `GET /query` of the real service, and `/control` to change the stand-in.

use std::sync::Arc;

use axum::extract::{Query as Parameters, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::NaiveDate;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::control::{Change, Control};
use super::response::Query;
use crate::wire::{date_header, pause, send};

#[derive(Clone)]
struct Shared {
    control: Arc<Control>,
    stopping: watch::Receiver<()>,
}

/// All routes. When `stopping` closes, hanging and endless responses end.
pub(crate) fn router(control: Arc<Control>, stopping: watch::Receiver<()>) -> Router {
    Router::new()
        .route("/query", get(query))
        .route("/control", post(change))
        .route("/control/calls", get(calls))
        .route("/control/reset", post(reset))
        .with_state(Shared { control, stopping })
}

async fn query(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(mut query): Parameters<Query>,
) -> Response {
    query.traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let today = shared.control.today();
    let (delay, response) = shared.control.respond(&query);
    pause(delay, &shared.stopping).await;
    let mut response = send(response, &shared.stopping).await;
    if let Some(date) = late_evening(today) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Late in the evening of `today` in New York.
fn late_evening(today: NaiveDate) -> Option<HeaderValue> {
    date_header(today.succ_opt()?.and_hms_opt(3, 59, 59)?.and_utc())
}

async fn calls(State(shared): State<Shared>) -> Json<Value> {
    let calls = shared.control.calls();
    Json(json!({ "count": calls.len(), "calls": calls }))
}

async fn change(State(shared): State<Shared>, Json(change): Json<Change>) -> Response {
    match shared.control.apply(change) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}

async fn reset(State(shared): State<Shared>) -> StatusCode {
    shared.control.reset();
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests;
