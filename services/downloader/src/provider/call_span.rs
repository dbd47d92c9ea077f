//! The span of one call of a provider, by OpenTelemetry's conventions for HTTP clients.

use domain::ingest::fetch_plan::Request as Subject;
use reqwest::Request;
use tracing::Span;
use tracing::field::Empty;

use super::{FetchResult, Outcome};

/// The span of a call of `provider` for `subject`. `redact` takes the key out of its URL.
pub(super) fn span(
    provider: &'static str,
    subject: &Subject,
    request: &Request,
    redact: impl FnOnce(&str) -> String,
) -> Span {
    let (method, url) = (request.method().as_str(), request.url());
    let (symbol, date) = match subject {
        Subject::Symbol(symbol) => (Some(symbol.as_str()), None),
        Subject::Date(date) => (None, Some(date.to_string())),
    };
    tracing::info_span!(
        "provider call",
        otel.name = format!("{method} {provider}"),
        otel.kind = "client",
        http.request.method = method,
        http.response.status_code = Empty,
        url.full = redact(url.as_str()),
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        "error.type" = Empty,
        otel.status_code = Empty,
        provider,
        symbol,
        trading_date = date,
        outcome = Empty,
    )
}

/// What became of the call.
pub(super) fn record(span: &Span, result: &FetchResult) {
    span.record("outcome", result.outcome.class());
    if !matches!(result.outcome, Outcome::Bars(_) | Outcome::NoPrices(_)) {
        runtime::telemetry::mark_failed(span, result.outcome.class());
    }
}
