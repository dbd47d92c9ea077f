//! What is recorded about each request, and the headers that every response has.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument as _, Span};

use super::openapi::SECURITY_HEADERS;
use super::problem::with_instance;
use crate::telemetry;

/// Requests that come every few seconds from machines, and would hide other traces.
const NOT_TRACED: [&str; 4] = ["/health", "/livez", "/readyz", "/metrics"];

/// Gives each request a span and a duration metric, and each response the security headers.
pub(super) async fn observe(State(scheme): State<&'static str>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = name(request.method());
    let path = request.uri().path().to_owned();
    let is_traced = !NOT_TRACED.contains(&path.as_str());
    let span = if is_traced { span(scheme, &request, method, route.as_deref()) } else { Span::none() };
    let started = std::time::Instant::now();
    let mut response = with_instance(path, next.run(request)).instrument(span.clone()).await;
    let status = response.status();
    record(&span, status);
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    metrics::histogram!("http_server_request_duration_seconds", "http_request_method" => method,
        "http_route" => route, "http_response_status_code" => status.as_u16().to_string())
    .record(started.elapsed().as_secs_f64());
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// The span of a request, by OpenTelemetry's conventions for HTTP servers. It continues the trace of the caller.
fn span(scheme: &'static str, request: &Request, method: &'static str, route: Option<&str>) -> Span {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (address, port) = host(header(header::HOST.as_str()).unwrap_or_default());
    let name = match route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    };
    let span = tracing::info_span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        http.request.method = method,
        http.request.method_original = (method == OTHER).then(|| request.method().as_str()),
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        url.path = request.uri().path(),
        url.scheme = scheme,
        server.address = address,
        server.port = port,
        user_agent.original = header(header::USER_AGENT.as_str()),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
        service = tracing::field::Empty,
        job.id = tracing::field::Empty,
    );
    telemetry::continue_from(&span, header("traceparent"), header("tracestate"));
    span
}

fn record(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        telemetry::mark_failed(span, status.as_str());
    }
}

/// Address and port of a `Host` header.
fn host(host: &str) -> (Option<&str>, Option<i64>) {
    let (address, port) = match host.rsplit_once(':') {
        Some((address, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (address, port.parse().ok())
        }
        _ => (host, None),
    };
    let address = address.trim_matches(['[', ']']);
    (Some(address).filter(|address| !address.is_empty()), port)
}

/// A method that OpenTelemetry does not know.
const OTHER: &str = "_OTHER";

/// The name of a method, as OpenTelemetry defines it. A client may invent methods, and each would be a series of its own.
fn name(method: &Method) -> &'static str {
    const NAMES: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    NAMES.into_iter().find(|name| *name == method.as_str()).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_and_perhaps_a_port() {
        assert_eq!(host("localhost:8080"), (Some("localhost"), Some(8080)));
        assert_eq!(host("modelday.example"), (Some("modelday.example"), None));
        assert_eq!(host("[::1]:80"), (Some("::1"), Some(80)));
        assert_eq!(host("[::1]"), (Some("::1"), None));
        assert_eq!(host(""), (None, None));
    }
}
