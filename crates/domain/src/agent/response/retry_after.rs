//! The wait that an endpoint requests before the next call.

use std::time::Duration;

use chrono::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::raw::RawResponse;
use crate::agent::number;

/// The wait in the headers: `retry-after-ms`, else `retry-after` in seconds or as a date.
pub(super) fn of(raw: &RawResponse) -> Option<Duration> {
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
