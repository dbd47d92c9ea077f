//! The routes: `GET /query` of the real service, and `/control` to change the stand-in.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query as Parameters, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::NaiveDate;
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::control::{Change, Control};
use super::response::{Query, WireResponse};

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

async fn query(State(shared): State<Shared>, Parameters(query): Parameters<Query>) -> Response {
    let today = shared.control.today();
    let (delay, response) = shared.control.respond(&query);
    if !delay.is_zero() {
        pause(&shared, delay).await;
    }
    let mut response = send(&shared, response).await;
    if let Some(date) = late_evening(today) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The header `Date`, late in the evening of `today` in New York. Clients compare it with their clock and learn that
/// later sessions are not known here.
fn late_evening(today: NaiveDate) -> Option<HeaderValue> {
    let utc = today.succ_opt()?.and_hms_opt(3, 59, 59)?;
    HeaderValue::from_str(&utc.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

async fn send(shared: &Shared, response: WireResponse) -> Response {
    match response {
        WireResponse::Json(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        WireResponse::Csv(body) => ([(header::CONTENT_TYPE, "application/x-download")], body).into_response(),
        WireResponse::Html(body) => ([(header::CONTENT_TYPE, "text/html")], body).into_response(),
        WireResponse::RetryAfter(body, seconds) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::RETRY_AFTER, seconds.to_string()),
            ];
            (headers, body).into_response()
        }
        WireResponse::Status(code, body) => {
            (StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body).into_response()
        }
        WireResponse::Hang => {
            stopped(shared).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        WireResponse::Cut(body) => Body::from_stream(cut(body)).into_response(),
        WireResponse::Endless(body) => {
            let parts = stream::repeat(Bytes::from(body)).map(Ok::<_, Infallible>);
            let shared = shared.clone();
            Body::from_stream(parts.take_until(async move { stopped(&shared).await })).into_response()
        }
    }
}

/// The body, then the end of the connection instead of the end of the body. The server drops what it has not sent by
/// then, so a pause comes before.
fn cut(body: String) -> impl Stream<Item = io::Result<Bytes>> {
    let broken = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    stream::once(async { Ok(Bytes::from(body)) }).chain(stream::once(broken))
}

async fn pause(shared: &Shared, delay: Duration) {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = stopped(shared) => {}
    }
}

/// Waits until the stand-in stops.
async fn stopped(shared: &Shared) {
    let mut stopping = shared.stopping.clone();
    while stopping.changed().await.is_ok() {}
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
