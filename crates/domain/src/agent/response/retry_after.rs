//! How long an endpoint asks to be left alone.

use std::time::Duration;

use chrono::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::RawResponse;
use crate::agent::number;

/// The wait that the headers ask for: `retry-after-ms`, else `retry-after` in seconds or as a date.
pub(super) fn of(raw: &RawResponse) -> Option<Duration> {
    let header = |name: &str| raw.headers.get(name).map(|text| text.trim());
    let milliseconds = header("retry-after-ms").and_then(|text| millis(number::decimal(text)?));
    milliseconds.or_else(|| {
        let asked = header("retry-after")?;
        let seconds = number::decimal(asked).and_then(|seconds| seconds.checked_mul(Decimal::from(1_000)));
        seconds.map_or_else(|| until(raw, asked), millis)
    })
}

/// From the endpoint's own clock to the date; a past date is no wait.
fn until(raw: &RawResponse, date: &str) -> Option<Duration> {
    let date = DateTime::parse_from_rfc2822(date).ok()?;
    let theirs = raw.headers.get("date").and_then(|text| DateTime::parse_from_rfc2822(text.trim()).ok());
    let from = theirs.unwrap_or_else(|| raw.received_at.fixed_offset());
    Some((date - from).to_std().unwrap_or_default())
}

fn millis(amount: Decimal) -> Option<Duration> {
    amount.ceil().to_u64().map(Duration::from_millis)
}
