//! Serves routes until shutdown.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use utoipa_axum::router::OpenApiRouter;

use super::guard::{Guard, guard};
use super::openapi::{SECURITY_HEADERS, document, pages, required_scopes};
use super::problem::{Problem, with_instance};
use crate::access::Access;
use crate::telemetry;

/// Largest request body in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// How long requests in progress may take after shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// Listens on `address`.
///
/// # Errors
/// When the address is in use; the message says what to do.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listening on {address}: is another program using the port? set LISTEN to another one")
    })
}

/// Serves `routes` and their description to callers that `access` allows. At shutdown the requests in progress may
/// finish within five seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    routes: OpenApiRouter,
    access: Access,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (routes, described) = routes.split_for_parts();
    let document = document(described);
    let guarded = Arc::new(Guard::new(access, required_scopes(&json!(document))));
    let app = routes
        .layer(middleware::from_fn_with_state(guarded, guard))
        .merge(pages(document))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "Not Found") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            Problem::internal(&std::io::Error::other("a handler panicked")).into_response()
        }))
        .layer(middleware::from_fn(observe));
    let server = axum::serve(listener, app).with_graceful_shutdown({
        let shutdown = shutdown.clone();
        async move { shutdown.cancelled().await }
    });
    let cut_off = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = async { server.await } => served.context("serving HTTP"),
        () = cut_off => Ok(()),
    }
}

/// Gives each request a span and a duration metric, and each response the security headers.
async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %method,
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
    metrics::histogram!("http_server_request_duration_seconds",
        "method" => method.to_string(), "route" => route, "status" => status.as_u16().to_string())
    .record(started.elapsed().as_secs_f64());
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
