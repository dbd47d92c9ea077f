//! The wait that an endpoint requests before the next call.

use std::time::Duration;

use chrono::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::raw::RawResponse;
use crate::agent::number;

/// The wait in the headers, else the one in the error: `retryDelay` among its details, or in a sentence of `message`.
pub(super) fn of(raw: &RawResponse, error: &Value, message: &str) -> Option<Duration> {
    in_headers(raw).or_else(|| in_details(error)).or_else(|| in_sentence(message))
}

/// The wait in `retry-after-ms`, else in `retry-after` in seconds or as a date.
fn in_headers(raw: &RawResponse) -> Option<Duration> {
    let header = |name: &str| raw.headers.get(name).map(|value| value.trim());
    let milliseconds = header("retry-after-ms").and_then(|text| millis(number::decimal(text)?));
    milliseconds.or_else(|| {
        let text = header("retry-after")?;
        let seconds = number::decimal(text).and_then(|seconds| seconds.checked_mul(Decimal::from(1_000)));
        seconds.map_or_else(|| until(raw, text), millis)
    })
}

/// The time from the endpoint's own clock to the date; a past date is no wait.
fn until(raw: &RawResponse, date: &str) -> Option<Duration> {
    let date = DateTime::parse_from_rfc2822(date).ok()?;
    let theirs = raw.headers.get("date").and_then(|text| DateTime::parse_from_rfc2822(text.trim()).ok());
    let from = theirs.unwrap_or_else(|| raw.received_at.fixed_offset());
    Some((date - from).to_std().unwrap_or_default())
}

fn millis(amount: Decimal) -> Option<Duration> {
    amount.ceil().to_u64().map(Duration::from_millis)
}

/// `{"details": [{"retryDelay": "8s"}]}`, `{"retry_after": 8}` or `{"metadata": {"headers": {"Retry-After": "8"}}}`.
fn in_details(error: &Value) -> Option<Duration> {
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    let metadata = error.get("metadata");
    let headers = metadata.and_then(|metadata| metadata.get("headers"));
    let places = details.chain([error]).chain(metadata).chain(headers);
    places.filter_map(Value::as_object).flatten().find_map(|(name, value)| wait(name, value))
}

/// The wait that a member says.
fn wait(name: &str, value: &Value) -> Option<Duration> {
    let name: String =
        name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    match name.as_str() {
        "retrydelay" | "retryafter" | "retryafterseconds" => duration(&text),
        "retryafterms" | "retryaftermilliseconds" => millis(number::decimal(text.trim())?),
        _ => None,
    }
}

/// `Please try again in 1m20.5s`, or `Please retry after 8 seconds`.
fn in_sentence(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let beginnings = [
        "try again in ",
        "retry after ",
        "retry in ",
        "try again after ",
        "wait for ",
        "wait ",
        "resets in ",
        "reset in ",
        "reset after ",
        "available in ",
    ];
    beginnings.iter().find_map(|beginning| duration(message.split_once(beginning)?.1))
}

/// The amounts at the beginning of `text`, each with its unit; seconds when there is none.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut milliseconds: Option<Decimal> = None;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (amount, after) = rest.split_at(digits);
        let Some(amount) = number::decimal(amount.trim_end_matches('.')) else { break };
        let after = after.trim_start();
        let unit = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let factor = match &after[..unit] {
            "ms" | "millisecond" | "milliseconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60_000,
            "h" | "hour" | "hours" => 3_600_000,
            _ => 1_000,
        };
        let part = amount.checked_mul(Decimal::from(factor))?;
        milliseconds = milliseconds.unwrap_or_default().checked_add(part);
        rest = &after[unit..];
    }
    milliseconds.and_then(millis)
}
