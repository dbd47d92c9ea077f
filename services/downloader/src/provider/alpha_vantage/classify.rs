//! The class of a response. Alpha Vantage refuses calls under status 200, with texts that contain each other's
//! words, so the order of matching matters.
//!
//! A body of every kind, in that order, is in `testdata/alpha_vantage.json`.

use std::time::Duration;

use domain::ingest::coverage::BEGINNING;
use serde_json::error::Category;

use super::history::OutputSize;
use super::query::Query;
use super::series::{Body, field};
use crate::provider::http::HttpResponse;
use crate::provider::rows::RawRow;
use crate::provider::{Certainty, Gate, NoPrices, Outcome, PriceResponse};

/// The pace of a free key.
const PACE: Duration = Duration::from_secs(1);

/// The window of keys that are limited per minute.
const MINUTE: Duration = Duration::from_secs(60);

/// A response without any row: for a symbol that is not known, or because something went wrong.
const EMPTY: Outcome = Outcome::NoPrices(NoPrices::Empty(Certainty::Doubtful));

/// The class of `response`, with its prices when it has any.
pub(super) fn classify(response: &HttpResponse, query: &Query<'_>) -> Outcome {
    let body = serde_json::from_slice::<Body>(&response.body);
    let without_prices = body.as_ref().ok().filter(|body| body.series.is_none());
    let notices = without_prices.map_or(&[][..], |body| body.notices.as_slice());
    class_of_status(response, query, notices).unwrap_or_else(|| with_prices(&response.body, body, query))
}

/// The class of a response that is a refusal, by its status and its notices; `None` when it is none, or none that is
/// known.
pub(super) fn class_of_status(
    response: &HttpResponse,
    query: &Query<'_>,
    notices: &[String],
) -> Option<Outcome> {
    let retry_after = response.wait(query.now);
    let status = response.status;
    if status >= 500 {
        return Some(Outcome::Unreachable { reason: format!("HTTP status {status}"), retry_after });
    }
    if let Some(refusal) = refusal(notices, response, query) {
        return Some(refusal);
    }
    Some(match status {
        200..=299 => return None,
        429 => Outcome::Throttled { retry_after: retry_after.unwrap_or(MINUTE) },
        401 => Outcome::BadCredentials { reason: "HTTP status 401".to_owned() },
        403 => Outcome::Unreachable { reason: format!("HTTP status {status}"), retry_after },
        _ => response
            .class_of_status(query.now)
            .unwrap_or_else(|| Outcome::BugInRequest { reason: format!("HTTP status {status}") }),
    })
}

/// The class of a body with these notices. `None` when none of them is known.
fn refusal(notices: &[String], response: &HttpResponse, query: &Query<'_>) -> Option<Outcome> {
    let retry_after = response.wait(query.now);
    if notices.is_empty() {
        return None;
    }
    let text = notices.join(" ");
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    let reason = || query.key.redact(&text);
    Some(if has(&["spreading out", "per second"]) {
        Outcome::Throttled { retry_after: retry_after.unwrap_or(PACE) }
    } else if has(&["requests per day", "detected your api key"]) {
        Outcome::QuotaExhausted { until: response.wait_until(query.now) }
    } else if has(&["call frequency", "higher api call volume"]) {
        Outcome::Throttled { retry_after: retry_after.unwrap_or(MINUTE) }
    } else if has(&["premium feature"]) {
        Outcome::PlanGated(Gate::Parameter)
    } else if has(&["premium endpoint"]) {
        Outcome::PlanGated(Gate::Endpoint)
    } else if has(&["demo", "apikey is invalid or missing", "claim your free api key"]) {
        Outcome::BadCredentials { reason: reason() }
    } else if has(&["invalid api call"]) {
        // The service says this now and then about a symbol that it knows.
        Outcome::NoPrices(NoPrices::Unknown(Certainty::Doubtful))
    } else if has(&["does not exist", "could not satisfy the request"]) {
        Outcome::BugInRequest { reason: reason() }
    } else {
        return None;
    })
}

/// The class of a response that should have prices.
fn with_prices(text: &[u8], body: serde_json::Result<Body>, query: &Query<'_>) -> Outcome {
    let malformed = |reason: &str| Outcome::Malformed { reason: reason.to_owned() };
    let body = match body {
        Ok(body) => body,
        Err(_) if text.starts_with(b"timestamp,") => return csv(text, query),
        Err(error) => {
            let what = match error.classify() {
                Category::Eof => "a cut body",
                Category::Syntax | Category::Io => "a body that is not JSON",
                Category::Data => "a body of another shape",
            };
            return malformed(&format!("{what}, line {}, column {}", error.line(), error.column()));
        }
    };
    let Body { meta, series, notices, is_empty } = body;
    match (meta, series) {
        _ if is_empty => EMPTY,
        (_, None) if !notices.is_empty() => {
            malformed(&format!("an unknown notice: {}", query.key.redact(&notices.join(" "))))
        }
        (_, None) => malformed("a body without daily prices"),
        (None, Some(_)) => malformed("a body that does not say which symbol it is about"),
        (Some(meta), Some(_)) if !query.names(field(&meta, "Symbol")) => {
            malformed("a body about another symbol")
        }
        (Some(_), Some(series)) if series.0.is_empty() => EMPTY,
        (Some(meta), Some(series)) => {
            let echoed = field(&meta, "Output Size").unwrap_or_default().to_lowercase();
            let size = if echoed.starts_with("full") { query.size } else { OutputSize::Compact };
            let rows = series.0.iter().map(|(date, row)| RawRow {
                date,
                open: field(row, "open").map(Into::into),
                high: field(row, "high").map(Into::into),
                low: field(row, "low").map(Into::into),
                close: field(row, "close").map(Into::into),
                volume: field(row, "volume").map(Into::into),
            });
            Outcome::Bars(checked(rows, size, query))
        }
    }
}

/// The same prices as comma-separated values, which name neither symbol nor size.
fn csv(text: &[u8], query: &Query<'_>) -> Outcome {
    let mut reader = csv::Reader::from_reader(text);
    let header = reader.headers().cloned();
    let records: Result<Vec<_>, _> = reader.records().collect();
    let (Ok(header), Ok(records), true) = (header, records, text.ends_with(b"\n")) else {
        return Outcome::Malformed { reason: "a cut table".to_owned() };
    };
    if records.is_empty() {
        return EMPTY;
    }
    let column = |name: &str| header.iter().position(|field| field == name);
    let columns = ["open", "high", "low", "close", "volume"].map(column);
    let rows = records.iter().map(|record| {
        let [open, high, low, close, volume] = columns.map(|column| record.get(column?).map(Into::into));
        RawRow { date: record.get(0).unwrap_or_default(), open, high, low, close, volume }
    });
    Outcome::Bars(checked(rows, OutputSize::Compact, query))
}

/// Checks each row. `size` is the one that the response names.
fn checked<'a>(rows: impl Iterator<Item = RawRow<'a>>, size: OutputSize, query: &Query<'_>) -> PriceResponse {
    let mut response = PriceResponse::default();
    let oldest = response.add_rows(query.symbol, rows, &query.sessions);
    // From the oldest good bar, or from the beginning when it is the full history, to the last final session.
    let from = oldest.map(|oldest| match size {
        OutputSize::Compact => oldest,
        OutputSize::Full => BEGINNING,
    });
    if let Some(from) = from {
        response.cover(query.symbol, from, &query.sessions, query.now);
    }
    response
}
