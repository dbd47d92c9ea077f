//! What is recorded about each request, and the headers that every response has.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::openapi::SECURITY_HEADERS;
use super::problem::with_instance;
use crate::telemetry;

/// Gives each request a span and a duration metric, and each response the security headers.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = name(request.method());
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = %route,
        http.response.status_code = tracing::field::Empty,
        job.id = tracing::field::Empty,
    );
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    telemetry::continue_from(&span, traceparent);
    let started = std::time::Instant::now();
    let path = request.uri().path().to_owned();
    let mut response = with_instance(path, next.run(request)).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    metrics::histogram!("http_server_request_duration_seconds", "http_request_method" => method,
        "http_route" => route, "http_response_status_code" => status.as_u16().to_string())
    .record(started.elapsed().as_secs_f64());
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// The name of a method, as OpenTelemetry defines it. A client may invent methods, and each would be a series of its own.
fn name(method: &Method) -> &'static str {
    const NAMES: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    NAMES.into_iter().find(|name| *name == method.as_str()).unwrap_or("_OTHER")
}
