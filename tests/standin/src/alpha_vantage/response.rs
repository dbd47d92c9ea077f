//! The response to a request: a decision over settings, quotas and prices, without I/O.

use std::time::Instant;

use chrono::{Days, NaiveDate, Utc};
use serde::Deserialize;

use super::action_body;
use super::bar::{Bar, Ticks};
use super::fault::Fault;
use super::ledger::{Call, CallRefused, Ledger};
use super::notice::Notice;
use super::prices::{Prices, visible};
use super::series_body::{self, Columns, Size};
use super::settings::{Plan, Settings};
use crate::wire::{WireResponse, half};

/// The parameters of `GET /query` that decide the response.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(crate) function: String,
    pub(crate) symbol: String,
    pub(crate) outputsize: String,
    pub(crate) datatype: String,
    pub(crate) apikey: String,
    /// The header of this name.
    #[serde(skip)]
    pub(crate) traceparent: Option<String>,
}

impl Query {
    fn size(&self) -> Size {
        if self.outputsize == "full" { Size::Full } else { Size::Compact }
    }

    fn columns(&self) -> Option<Columns> {
        match self.function.as_str() {
            "TIME_SERIES_DAILY" => Some(Columns::Daily),
            "TIME_SERIES_DAILY_ADJUSTED" => Some(Columns::Adjusted),
            _ => None,
        }
    }
}

/// Decides the response and adds the call to the ledger.
pub(crate) fn respond(
    query: &Query,
    settings: &mut Settings,
    ledger: &mut Ledger,
    prices: &Prices,
    now: Instant,
) -> WireResponse {
    let fault = take_fault(settings, &query.symbol);
    let (name, response) = match fault {
        Some(fault) => (format!("fault {fault}"), faulty(fault, query, settings, prices)),
        None => match decide(query, settings, ledger, prices, now) {
            Ok(body) => ("series".to_owned(), body),
            Err(notice) => (notice.name().to_owned(), refused(notice, query, settings)),
        },
    };
    let outputsize = if query.outputsize.is_empty() { "compact" } else { &query.outputsize };
    ledger.calls.push(Call {
        at: Utc::now(),
        function: query.function.clone(),
        symbol: query.symbol.clone(),
        outputsize: outputsize.to_owned(),
        key: query.apikey.clone(),
        answer: name,
        traceparent: query.traceparent.clone(),
    });
    response
}

fn decide(
    query: &Query,
    settings: &Settings,
    ledger: &mut Ledger,
    prices: &Prices,
    now: Instant,
) -> Result<WireResponse, Notice> {
    let plan = settings.keys.plan(&query.apikey);
    match plan {
        Plan::Invalid => return Err(Notice::InvalidKey),
        Plan::Demo => return Err(Notice::DemoKey),
        Plan::Free => ledger.debit_free(&query.apikey, now).map_err(|refused| match refused {
            CallRefused::TooFast => Notice::Throttled,
            CallRefused::UsedUp => Notice::Quota,
        })?,
        Plan::Paying => {}
    }
    if let Some(body) = actions(query, settings) {
        return Ok(WireResponse::Json(body));
    }
    let columns = query.columns().ok_or(Notice::UnknownFunction)?;
    if plan == Plan::Free && columns == Columns::Adjusted {
        return Err(Notice::PremiumFunction);
    }
    if plan == Plan::Free && query.size() == Size::Full {
        return Err(Notice::FullIsPremium);
    }
    let bars = bars(query, settings, prices).ok_or(Notice::InvalidCall)?;
    if !ledger.debit_series(settings.rate_limit_after) {
        return Err(Notice::Quota);
    }
    let bars = query.size().of(&bars);
    if query.datatype == "csv" {
        return Ok(WireResponse::Csv(series_body::csv(columns, bars)));
    }
    Ok(WireResponse::Json(series_body::json(&query.symbol, query.size(), columns, bars)))
}

/// The body of a call for splits or dividends; `None` of another call. Of a symbol without any the list is empty.
fn actions(query: &Query, settings: &Settings) -> Option<String> {
    let none = Vec::new();
    let symbol = query.symbol.as_str();
    match query.function.as_str() {
        "SPLITS" => Some(action_body::splits(symbol, settings.splits.get(symbol).unwrap_or(&none))),
        "DIVIDENDS" => Some(action_body::dividends(symbol, settings.dividends.get(symbol).unwrap_or(&none))),
        _ => None,
    }
}

/// The bars of the response, newest first; `None` when the symbol is not known on "today".
fn bars(query: &Query, settings: &Settings, prices: &Prices) -> Option<Vec<Bar>> {
    let symbol = query.symbol.to_ascii_uppercase();
    let series = prices.series(&symbol)?;
    let mut bars = visible(&series, settings.today, settings.listed.get(&symbol));
    if let Some(date) = settings.poisoned_after_open {
        bars.iter_mut().filter(|bar| bar.date >= date).for_each(|bar| *bar = bar.poisoned(date));
    }
    Some(bars).filter(|bars| !bars.is_empty())
}

fn refused(notice: Notice, query: &Query, settings: &Settings) -> WireResponse {
    let body = notice.body(&query.function, &query.apikey);
    match (notice, settings.retry_after) {
        (Notice::Throttled | Notice::Quota, Some(seconds)) => WireResponse::RetryAfter(body, seconds),
        _ => WireResponse::Json(body),
    }
}

/// The fault of `symbol`, with one response less to go.
fn take_fault(settings: &mut Settings, symbol: &str) -> Option<Fault> {
    let key = if settings.faults.contains_key(symbol) { symbol } else { "*" };
    let scripted = settings.faults.get_mut(key)?;
    match &mut scripted.left {
        None => {}
        Some(0) => return None,
        Some(left) => *left -= 1,
    }
    Some(scripted.fault)
}

fn faulty(fault: Fault, query: &Query, settings: &Settings, prices: &Prices) -> WireResponse {
    match fault {
        Fault::ServerError => WireResponse::Status(500, "Internal Server Error"),
        Fault::Unavailable => WireResponse::Status(503, ""),
        Fault::Hang => WireResponse::Hang,
        Fault::Cut => WireResponse::Cut(half(&good_body(query, settings, prices, |_| {}))),
        Fault::Truncated => WireResponse::Json(half(&good_body(query, settings, prices, |_| {}))),
        Fault::Endless => WireResponse::Endless(good_body(query, settings, prices, |_| {})),
        Fault::WrongSymbol => {
            let other = if query.symbol == "WRNG" { "OTHR" } else { "WRNG" };
            let body = good_body(query, settings, prices, |_| {});
            let field = |symbol: &str| format!("\"2. Symbol\": {}", serde_json::Value::from(symbol));
            WireResponse::Json(body.replacen(&field(&query.symbol), &field(other), 1))
        }
        Fault::Html => WireResponse::Html("<!doctype html><html><body>Temporarily unavailable</body></html>"),
        Fault::Malformed => WireResponse::Json("{\"Time Series (Daily)\": [1, 2, 3]}".to_owned()),
        Fault::Empty => WireResponse::Json("{}".to_owned()),
        Fault::BadRows => {
            WireResponse::Json(good_body(query, settings, prices, |bars| add_bad_rows(bars, settings.today)))
        }
        Fault::DuplicateDate => WireResponse::Json(good_body(query, settings, prices, duplicate_newest)),
        Fault::Unknown => refused(Notice::InvalidCall, query, settings),
        Fault::Throttled => refused(Notice::Throttled, query, settings),
        Fault::Quota => refused(Notice::Quota, query, settings),
        Fault::InvalidKey => refused(Notice::InvalidKey, query, settings),
    }
}

fn good_body(
    query: &Query,
    settings: &Settings,
    prices: &Prices,
    change: impl FnOnce(&mut Vec<Bar>),
) -> String {
    let bars = bars(query, settings, prices).unwrap_or_default();
    let mut bars = query.size().of(&bars).to_vec();
    change(&mut bars);
    series_body::json(&query.symbol, query.size(), query.columns().unwrap_or(Columns::Daily), &bars)
}

/// Adds a future day and a Saturday. The newest correct row gets a price of zero, the next a high below its low.
fn add_bad_rows(bars: &mut Vec<Bar>, today: NaiveDate) {
    let Some(newest) = bars.first().cloned() else { return };
    let saturday =
        (1..=7).map(|days| newest.date - Days::new(days)).find(|date| date.format("%a").to_string() == "Sat");
    let future = Bar { date: today + Days::new(1), ..newest };
    let weekend = Bar { date: saturday.unwrap_or(today), ..newest };
    bars[0] = Bar { open: Ticks(0), ..newest };
    if let Some(second) = bars.get_mut(1) {
        second.high = Ticks(second.low.0 - 100);
    }
    bars.insert(0, weekend);
    bars.insert(0, future);
}

fn duplicate_newest(bars: &mut Vec<Bar>) {
    if let Some(mut newest) = bars.first().cloned() {
        newest.close = newest.open;
        bars.insert(1, newest);
    }
}

#[cfg(test)]
mod tests;
