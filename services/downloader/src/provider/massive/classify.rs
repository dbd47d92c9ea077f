//! The class of a response of Massive, with its prices when it has any.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::AnswerSpan;
use domain::market::calendar::exchange_date;
use domain::market::instruments::Symbol;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::provider::http::HttpResponse;
use crate::provider::numbers::{price, volume};
use crate::provider::rows::RawRow;
use crate::provider::secret::Secret;
use crate::provider::spelling::{Separator, spelled};
use crate::provider::{Certainty, Gate, NoPrices, Outcome, PriceResponse, Sessions};

/// The window of keys that are limited per minute.
const MINUTE: Duration = Duration::from_secs(60);

/// What was requested.
#[derive(Clone, Copy)]
pub(super) enum Requested<'a> {
    /// These symbols on one date.
    Date { date: NaiveDate, symbols: &'a BTreeSet<Symbol> },
    /// One symbol, which the service writes as `ticker`, from a date on.
    Symbol { symbol: &'a Symbol, ticker: &'a str, from: NaiveDate },
}

impl Requested<'_> {
    /// The oldest date.
    pub(super) fn oldest(&self) -> NaiveDate {
        match self {
            Self::Date { date, .. } => *date,
            Self::Symbol { from, .. } => *from,
        }
    }
}

/// The call that a response belongs to.
pub(super) struct Query<'a> {
    pub(super) requested: Requested<'a>,
    pub(super) sessions: Sessions<'a>,
    pub(super) now: DateTime<Utc>,
    /// Kept out of all texts.
    pub(super) key: &'a Secret,
}

/// A whole body; what is absent is empty.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    ticker: Option<String>,
    #[serde(borrow, default)]
    results: Option<Vec<Row<'a>>>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error: String,
}

/// The bar of one symbol and session.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(rename = "T", default)]
    ticker: Option<String>,
    /// Milliseconds of an instant within the session's day in New York.
    t: Option<i64>,
    #[serde(borrow)]
    o: Option<&'a RawValue>,
    #[serde(borrow)]
    h: Option<&'a RawValue>,
    #[serde(borrow)]
    l: Option<&'a RawValue>,
    #[serde(borrow)]
    c: Option<&'a RawValue>,
    #[serde(borrow)]
    v: Option<&'a RawValue>,
}

/// The class of `response`.
pub(super) fn classify(response: &HttpResponse, query: &Query<'_>) -> Outcome {
    if let Some(outcome) = response.class_of_status(query.now) {
        return outcome;
    }
    let body: Body<'_> = match serde_json::from_slice(&response.body) {
        Ok(body) => body,
        Err(_) if response.status == 429 => return throttled(response, query),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            return Outcome::Malformed { reason: format!("no prices in JSON, line {line}, column {column}") };
        }
    };
    let text = query.key.redact(format!("{} {}", body.message, body.error).trim());
    refusal(response, &body.status, text, query).unwrap_or_else(|| with_prices(&body, query))
}

/// Why a response has nothing of what was requested, by its status and what it says; `None` when it may have it.
pub(super) fn refusal(
    response: &HttpResponse,
    said: &str,
    text: String,
    query: &Query<'_>,
) -> Option<Outcome> {
    let lower = text.to_lowercase();
    Some(match response.status {
        429 => throttled(response, query),
        401 => Outcome::BadCredentials { reason: text },
        403 if lower.contains("timeframe") => Outcome::PlanGated(Gate::Parameter),
        403 if lower.contains("api key") => Outcome::BadCredentials { reason: text },
        403 => Outcome::PlanGated(Gate::Endpoint),
        404 => Outcome::NoPrices(NoPrices::Unknown(Certainty::Definite)),
        200..=299 if said.eq_ignore_ascii_case("error") && lower.contains("maximum requests") => {
            throttled(response, query)
        }
        200..=299 if said.eq_ignore_ascii_case("error") => Outcome::Malformed { reason: text },
        200..=299 => return None,
        status => Outcome::BugInRequest { reason: format!("HTTP status {status}: {text}") },
    })
}

fn throttled(response: &HttpResponse, query: &Query<'_>) -> Outcome {
    Outcome::Throttled { retry_after: response.wait(query.now).unwrap_or(MINUTE) }
}

fn with_prices(body: &Body<'_>, query: &Query<'_>) -> Outcome {
    let rows = body.results.as_deref().unwrap_or_default();
    match query.requested {
        Requested::Symbol { ticker, .. } if body.ticker.as_deref().is_some_and(|echoed| echoed != ticker) => {
            Outcome::Malformed { reason: "a body about another symbol".to_owned() }
        }
        _ if rows.is_empty() => Outcome::NoPrices(NoPrices::Empty(Certainty::Definite)),
        Requested::Symbol { symbol, from, .. } => of_symbol(rows, symbol, from, query),
        Requested::Date { date, symbols } => of_date(rows, date, symbols, query),
    }
}

fn of_symbol(rows: &[Row<'_>], symbol: &Symbol, from: NaiveDate, query: &Query<'_>) -> Outcome {
    let mut response = PriceResponse::default();
    let dates: Vec<String> = rows.iter().map(date_text).collect();
    let raw = rows.iter().zip(&dates).map(|(row, date)| raw_row(row, date));
    response.add_rows(symbol, raw, &query.sessions);
    response.cover(symbol, from, &query.sessions, query.now);
    Outcome::Bars(response)
}

/// The bars of the requested symbols: the response has about ten thousand others.
fn of_date(rows: &[Row<'_>], date: NaiveDate, symbols: &BTreeSet<Symbol>, query: &Query<'_>) -> Outcome {
    let day = date.to_string();
    if rows.iter().any(|row| date_text(row) != day) {
        return Outcome::Malformed { reason: "a body about another date".to_owned() };
    }
    let requested: HashMap<String, &Symbol> =
        symbols.iter().map(|symbol| (spelled(symbol, Separator::Dot), symbol)).collect();
    let mut by_symbol: HashMap<&Symbol, Vec<RawRow<'_>>> = HashMap::new();
    for row in rows {
        if let Some(symbol) = row.ticker.as_ref().and_then(|ticker| requested.get(ticker)) {
            by_symbol.entry(symbol).or_default().push(raw_row(row, &day));
        }
    }
    let mut response = PriceResponse::default();
    for symbol in symbols {
        let rows = by_symbol.remove(symbol).unwrap_or_default();
        let is_absent = rows.is_empty();
        response.add_rows(symbol, rows.into_iter(), &query.sessions);
        if is_absent && date <= query.sessions.final_until {
            let (symbol, requested_at) = (symbol.clone(), query.now);
            response.spans.push(AnswerSpan { symbol, from: date, to: date, requested_at });
        }
    }
    Outcome::Bars(response)
}

fn raw_row<'a>(row: &Row<'_>, date: &'a str) -> RawRow<'a> {
    RawRow {
        date,
        open: price(row.o).map(Into::into),
        high: price(row.h).map(Into::into),
        low: price(row.l).map(Into::into),
        close: price(row.c).map(Into::into),
        volume: volume(row.v).map(Into::into),
    }
}

/// The session of a row.
fn date_text(row: &Row<'_>) -> String {
    let at = row.t.and_then(DateTime::<Utc>::from_timestamp_millis);
    at.map_or_else(|| "no date".to_owned(), |at| exchange_date(at).to_string())
}
