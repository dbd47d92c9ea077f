//! The class of a response of Tiingo, with its prices when it has any.

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use domain::market::corporate_action::Action;
use domain::market::instruments::Symbol;
use domain::values::date::parse_date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::provider::http::HttpResponse;
use crate::provider::numbers::{decimal, price, volume};
use crate::provider::rows::RawRow;
use crate::provider::secret::Secret;
use crate::provider::split_ratio::split_ratio;
use crate::provider::{Certainty, NoPrices, Outcome, PriceResponse, Sessions};

/// What was requested, and what the response is checked against.
pub(super) struct Query<'a> {
    pub(super) symbol: &'a Symbol,
    pub(super) from: NaiveDate,
    pub(super) sessions: Sessions<'a>,
    pub(super) now: DateTime<Utc>,
}

/// One session. The adjusted prices are left out: they change with every later split and dividend.
#[derive(Deserialize)]
struct Row<'a> {
    date: String,
    #[serde(borrow)]
    open: Option<&'a RawValue>,
    #[serde(borrow)]
    high: Option<&'a RawValue>,
    #[serde(borrow)]
    low: Option<&'a RawValue>,
    #[serde(borrow)]
    close: Option<&'a RawValue>,
    #[serde(borrow)]
    volume: Option<&'a RawValue>,
    #[serde(borrow, rename = "divCash")]
    dividend: Option<&'a RawValue>,
    #[serde(borrow, rename = "splitFactor")]
    split: Option<&'a RawValue>,
}

/// A refusal.
#[derive(Deserialize)]
struct Detail {
    detail: String,
}

/// The class of `response`.
pub(super) fn classify(response: &HttpResponse, query: &Query<'_>, key: &Secret) -> Outcome {
    if let Some(outcome) = response.class_of_status(query.now) {
        return outcome;
    }
    let text = detail(&response.body);
    let lower = text.as_deref().unwrap_or_default().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    let reason = || key.redact(text.as_deref().unwrap_or_default());
    if response.status == 429 || has(&["run over your", "request allocation"]) {
        let until =
            response.wait_until(query.now).or_else(|| has(&["hour"]).then(|| next_hour(query.now)).flatten());
        return Outcome::QuotaExhausted { until };
    }
    match response.status {
        404 => Outcome::NoPrices(NoPrices::Unknown(Certainty::Definite)),
        _ if has(&["not found"]) => Outcome::NoPrices(NoPrices::Unknown(Certainty::Definite)),
        401 => Outcome::BadCredentials { reason: reason() },
        403 if has(&["token", "credentials"]) => Outcome::BadCredentials { reason: reason() },
        403 => Outcome::NoPrices(NoPrices::NotInPlan),
        200..=299 => with_prices(&response.body, query, key),
        status => Outcome::BugInRequest { reason: format!("HTTP status {status}: {}", reason()) },
    }
}

/// The text of a refusal. Some come as plain text.
fn detail(body: &[u8]) -> Option<String> {
    match serde_json::from_slice::<Detail>(body) {
        Ok(Detail { detail }) => Some(detail),
        Err(_) if matches!(body.first(), None | Some(b'[' | b'{' | b'<')) => None,
        Err(_) => std::str::from_utf8(body).ok().map(str::to_owned),
    }
}

fn next_hour(now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    now.with_minute(0)?.with_second(0)?.with_nanosecond(0)?.checked_add_signed(TimeDelta::hours(1))
}

fn with_prices(body: &[u8], query: &Query<'_>, key: &Secret) -> Outcome {
    let rows: Vec<Row<'_>> = match serde_json::from_slice(body) {
        Ok(rows) => rows,
        Err(error) => {
            let said = detail(body).map(|text| format!(": {}", key.redact(&text))).unwrap_or_default();
            let (line, column) = (error.line(), error.column());
            return Outcome::Malformed {
                reason: format!("no list of prices, line {line}, column {column}{said}"),
            };
        }
    };
    if rows.is_empty() {
        return Outcome::NoPrices(NoPrices::Empty(Certainty::Definite));
    }
    let mut response = PriceResponse::default();
    let raw = rows.iter().map(|row| RawRow {
        date: day(&row.date),
        open: price(row.open).map(Into::into),
        high: price(row.high).map(Into::into),
        low: price(row.low).map(Into::into),
        close: price(row.close).map(Into::into),
        volume: volume(row.volume).map(Into::into),
    });
    response.add_rows(query.symbol, raw, &query.sessions);
    let is_stored =
        |date: &NaiveDate| (query.sessions.is_session)(*date) && *date <= query.sessions.storable_until;
    for row in &rows {
        let Some(date) = parse_date(day(&row.date)).filter(is_stored) else { continue };
        response.actions.extend(actions(row).map(|action| (query.symbol.clone(), date, action)));
    }
    response.cover(query.symbol, query.from, &query.sessions, query.now);
    Outcome::Bars(response)
}

/// The date of an instant such as `2025-10-02T00:00:00.000Z`, which is the session's.
fn day(text: &str) -> &str {
    text.split_once('T').map_or(text, |(day, _)| day)
}

/// The split and the dividend before the open of a session, if there are any.
fn actions(row: &Row<'_>) -> impl Iterator<Item = Action> {
    let split = row.split.and_then(decimal).filter(|factor| *factor != Decimal::ONE).and_then(split_ratio);
    let dividend = row.dividend.and_then(decimal).and_then(|cash| cash.try_into().ok());
    let split = split.map(Action::Split);
    split.into_iter().chain(dividend.map(|per_share| Action::Dividend { per_share }))
}
