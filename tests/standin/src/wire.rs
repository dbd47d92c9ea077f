//! Responses as they go over the wire, faulty ones included.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;

/// A response as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WireResponse {
    Json(String),
    Csv(String),
    Html(&'static str),
    /// JSON with `Retry-After`, in seconds.
    RetryAfter(String, u64),
    Status(u16, &'static str),
    /// JSON with another status than 200.
    Refusal(u16, String),
    Hang,
    /// This part of the body, then the end of the connection.
    Cut(String),
    /// This body again and again.
    Endless(String),
}

/// Sends a response. When `stopping` closes, hanging and endless ones end.
pub(crate) async fn send(response: WireResponse, stopping: &watch::Receiver<()>) -> Response {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = (header::CONTENT_TYPE, "application/json");
    match response {
        WireResponse::Json(body) => ([json], body).into_response(),
        WireResponse::Csv(body) => ([(header::CONTENT_TYPE, "application/x-download")], body).into_response(),
        WireResponse::Html(body) => ([(header::CONTENT_TYPE, "text/html")], body).into_response(),
        WireResponse::RetryAfter(body, seconds) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::RETRY_AFTER, seconds.to_string()),
            ];
            (headers, body).into_response()
        }
        WireResponse::Status(code, body) => (status(code), body).into_response(),
        WireResponse::Refusal(code, body) => (status(code), [json], body).into_response(),
        WireResponse::Hang => {
            stopped(stopping).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        WireResponse::Cut(body) => Body::from_stream(cut(body)).into_response(),
        WireResponse::Endless(body) => {
            let parts = stream::repeat(Bytes::from(body)).map(Ok::<_, Infallible>);
            let stopping = stopping.clone();
            Body::from_stream(parts.take_until(async move { stopped(&stopping).await })).into_response()
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

/// Waits, unless the stand-in stops.
pub(crate) async fn pause(delay: Duration, stopping: &watch::Receiver<()>) {
    if delay.is_zero() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = stopped(stopping) => {}
    }
}

/// Waits until the stand-in stops.
async fn stopped(stopping: &watch::Receiver<()>) {
    let mut stopping = stopping.clone();
    while stopping.changed().await.is_ok() {}
}

/// The header `Date`. Clients compare it with their clock and learn that later sessions are not known here.
pub(crate) fn date_header(at: DateTime<Utc>) -> Option<HeaderValue> {
    HeaderValue::from_str(&at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

/// The first half of a body.
pub(crate) fn half(body: &str) -> String {
    body.chars().take(body.len() / 2).collect()
}
