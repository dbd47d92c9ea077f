//! The routes: `GET /query` as the real service has it, and `/control` beside it.

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

use crate::answer::{Answer, Query};
use crate::control::{Change, Control};

#[derive(Clone)]
struct Shared {
    control: Arc<Control>,
    stopping: watch::Receiver<()>,
}

/// The service. When `stopping` closes, answers that would never end do.
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
    let (delay, answer) = shared.control.answer(&query);
    if !delay.is_zero() {
        pause(&shared, delay).await;
    }
    let mut response = respond(&shared, answer).await;
    if let Some(date) = late_evening(today) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The `Date` of an answer given late in the evening, in New York, of `today`: it tells clients that live in the
/// present that later sessions are not known here.
fn late_evening(today: NaiveDate) -> Option<HeaderValue> {
    let utc = today.succ_opt()?.and_hms_opt(3, 59, 59)?;
    HeaderValue::from_str(&utc.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

async fn respond(shared: &Shared, answer: Answer) -> Response {
    match answer {
        Answer::Json(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Answer::Csv(body) => ([(header::CONTENT_TYPE, "application/x-download")], body).into_response(),
        Answer::Html(body) => ([(header::CONTENT_TYPE, "text/html")], body).into_response(),
        Answer::Later(body, seconds) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::RETRY_AFTER, seconds.to_string()),
            ];
            (headers, body).into_response()
        }
        Answer::Status(code, body) => {
            (StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body).into_response()
        }
        Answer::Hang => {
            stopped(shared).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Answer::Cut(body) => Body::from_stream(cut(body)).into_response(),
        Answer::Endless(body) => {
            let parts = stream::repeat(Bytes::from(body)).map(Ok::<_, Infallible>);
            let shared = shared.clone();
            Body::from_stream(parts.take_until(async move { stopped(&shared).await })).into_response()
        }
    }
}

/// The body, and then the end of the connection instead of the end of the body. The server drops what it has not
/// sent yet when that happens, hence the pause.
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

/// Until the stand-in is told to stop.
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
