//! What an answer is. Alpha Vantage refuses under status 200 with texts that contain each other's words, so
//! the order of matching matters.
//!
//! The order, and a body of every kind, are in `testdata/alpha_vantage.json`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::market::instruments::Symbol;
use serde_json::error::Category;

use super::OutputSize;
use super::parse::{RawRow, judge};
use super::series::{Body, field};
use crate::provider::secret::Secret;
use crate::provider::{Gate, Outcome, Sessions};

/// An answer as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct HttpAnswer<'a> {
    /// The status code.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

/// What the answer is an answer to.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The symbol that was asked for.
    pub symbol: &'a Symbol,
    /// How much of its history was asked for.
    pub size: OutputSize,
    /// By what the rows are judged.
    pub sessions: Sessions<'a>,
    /// When it was asked.
    pub now: DateTime<Utc>,
    /// The key it was asked with, to keep it out of texts.
    pub key: &'a Secret,
}

/// The pace of a free key.
const PACE: Duration = Duration::from_secs(1);

/// The window of keys that are limited per minute.
const MINUTE: Duration = Duration::from_secs(60);

/// The class of `answer`, with its prices when it has any.
pub fn classify(answer: &HttpAnswer<'_>, asked: &Asked<'_>) -> Outcome {
    let retry_after = answer.retry_after.and_then(|text| wait(text, asked.now));
    let status = answer.status;
    if status >= 500 {
        return Outcome::Unreachable { reason: format!("HTTP status {status}"), retry_after };
    }
    let body = serde_json::from_slice::<Body>(answer.body);
    if let Some(refusal) = body.as_ref().ok().and_then(|body| refusal(body, retry_after, asked)) {
        return refusal;
    }
    match status {
        200..=299 => with_prices(answer.body, body, asked),
        429 => Outcome::Throttled { retry_after: retry_after.unwrap_or(MINUTE) },
        401 => Outcome::BadCredentials { reason: "HTTP status 401".to_owned() },
        403 | 408 => Outcome::Unreachable { reason: format!("HTTP status {status}"), retry_after },
        _ => Outcome::BugInRequest { reason: format!("HTTP status {status}") },
    }
}

/// The class of a body that has a notice instead of prices. `None` when it has prices or no known notice
/// and a status that says more.
fn refusal(body: &Body, retry_after: Option<Duration>, asked: &Asked<'_>) -> Option<Outcome> {
    if body.series.is_some() || body.notices.is_empty() {
        return None;
    }
    let text = body.notices.join(" ");
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    let reason = || asked.key.redact(&text);
    Some(if has(&["spreading out", "per second"]) {
        Outcome::Throttled { retry_after: retry_after.unwrap_or(PACE) }
    } else if has(&["requests per day", "detected your api key"]) {
        let until =
            retry_after.and_then(|wait| asked.now.checked_add_signed(TimeDelta::from_std(wait).ok()?));
        Outcome::QuotaExhausted { until }
    } else if has(&["call frequency", "higher api call volume"]) {
        Outcome::Throttled { retry_after: retry_after.unwrap_or(MINUTE) }
    } else if has(&["premium feature"]) {
        Outcome::PlanGated(Gate::Parameter)
    } else if has(&["premium endpoint"]) {
        Outcome::PlanGated(Gate::Endpoint)
    } else if has(&["demo", "apikey is invalid or missing", "claim your free api key"]) {
        Outcome::BadCredentials { reason: reason() }
    } else if has(&["invalid api call"]) {
        Outcome::UnknownSymbol
    } else if has(&["does not exist", "could not satisfy the request"]) {
        Outcome::BugInRequest { reason: reason() }
    } else {
        return None;
    })
}

/// The class of an answer that should have prices.
fn with_prices(text: &[u8], body: serde_json::Result<Body>, asked: &Asked<'_>) -> Outcome {
    let malformed = |reason: &str| Outcome::Malformed { reason: reason.to_owned() };
    let body = match body {
        Ok(body) => body,
        Err(_) if text.starts_with(b"timestamp,") => return csv(text, asked),
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
        _ if is_empty => Outcome::Empty,
        (_, None) if !notices.is_empty() => {
            malformed(&format!("an unknown notice: {}", asked.key.redact(&notices.join(" "))))
        }
        (_, None) => malformed("a body without daily prices"),
        (None, Some(_)) => malformed("a body that does not say which symbol it is about"),
        (Some(meta), Some(_)) if field(&meta, "Symbol") != Some(asked.symbol.as_str()) => {
            malformed("a body about another symbol")
        }
        (Some(_), Some(series)) if series.0.is_empty() => Outcome::Empty,
        (Some(meta), Some(series)) => {
            let echoed = field(&meta, "Output Size").unwrap_or_default().to_lowercase();
            let size = if echoed.starts_with("full") { asked.size } else { OutputSize::Compact };
            let rows = series.0.iter().map(|(date, row)| RawRow {
                date,
                open: field(row, "open"),
                high: field(row, "high"),
                low: field(row, "low"),
                close: field(row, "close"),
                volume: field(row, "volume"),
            });
            Outcome::Bars(judge(rows, size, asked))
        }
    }
}

/// The same prices as comma-separated values, which name neither symbol nor size.
fn csv(text: &[u8], asked: &Asked<'_>) -> Outcome {
    let mut reader = csv::Reader::from_reader(text);
    let header = reader.headers().cloned();
    let records: Result<Vec<_>, _> = reader.records().collect();
    let (Ok(header), Ok(records), true) = (header, records, text.ends_with(b"\n")) else {
        return Outcome::Malformed { reason: "a cut table".to_owned() };
    };
    if records.is_empty() {
        return Outcome::Empty;
    }
    let column = |name: &str| header.iter().position(|field| field == name);
    let columns = ["open", "high", "low", "close", "volume"].map(column);
    let rows = records.iter().map(|record| {
        let [open, high, low, close, volume] = columns.map(|column| record.get(column?));
        RawRow { date: record.get(0).unwrap_or_default(), open, high, low, close, volume }
    });
    Outcome::Bars(judge(rows, OutputSize::Compact, asked))
}

/// How long `Retry-After` asks to wait: a number of seconds, or a date.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(seconds.into())),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(text).ok()?;
            Some((until.to_utc() - now).to_std().unwrap_or_default())
        }
    }
}
