//! `GET /tiingo/daily/{ticker}/prices` of Tiingo.

use chrono::NaiveDate;
use serde_json::json;

use super::server::Request;
use super::state::{Refused, State};
use crate::alpha_vantage::bar::Bar;
use crate::alpha_vantage::fault::Fault;
use crate::wire::{WireResponse, half};

/// Decides the response and notes the call.
pub(super) fn respond(request: &Request, state: &mut State) -> WireResponse {
    let [first, second, ticker, last] = &request.path[..] else { return not_a_route() };
    if [first.as_str(), second, last] != ["tiingo", "daily", "prices"] {
        return not_a_route();
    }
    let key = request.authorization.as_deref().and_then(|text| text.strip_prefix("Token "));
    let key = key.or(request.parameter("token"));
    let (answer, response) = match state.take_fault(ticker) {
        Some(fault) => (format!("fault {fault}"), faulty(fault, ticker, request, state)),
        None => match state.admit(key) {
            Err(Refused::NoKey) => ("no key".to_owned(), detail(403, "Please supply a token")),
            Err(Refused::BadKey) => ("bad key".to_owned(), detail(401, "Invalid token.")),
            Err(Refused::UsedUp) => ("quota used up".to_owned(), used_up()),
            Ok(()) => match body(ticker, request, state, |_| {}) {
                Some(body) => ("prices".to_owned(), WireResponse::Json(body)),
                None => ("unknown".to_owned(), unknown(ticker)),
            },
        },
    };
    state.note(ticker, key, answer);
    response
}

fn not_a_route() -> WireResponse {
    detail(404, "Not found.")
}

fn detail(status: u16, text: &str) -> WireResponse {
    WireResponse::Refusal(status, json!({ "detail": text }).to_string())
}

fn unknown(ticker: &str) -> WireResponse {
    detail(404, &format!("Error: Ticker '{ticker}' not found"))
}

fn used_up() -> WireResponse {
    detail(429, "Error: You have run over your hourly request allocation.")
}

/// The prices of a ticker; `None` when there is no such ticker. Class shares are written with a dash.
fn body(
    ticker: &str,
    request: &Request,
    state: &State,
    change: impl FnOnce(&mut Vec<Bar>),
) -> Option<String> {
    if ticker.contains('.') {
        return None;
    }
    let today = state.settings.today();
    let from = request.date("startDate").unwrap_or(today);
    let to = request.date("endDate").unwrap_or(today);
    let mut bars = state.bars(&ticker.to_uppercase(), from..=to)?;
    change(&mut bars);
    let rows: Vec<String> = bars.iter().map(|bar| row(ticker, bar, state)).collect();
    Some(format!("[{}]", rows.join(",")))
}

/// One session, with JSON numbers.
fn row(ticker: &str, bar: &Bar, state: &State) -> String {
    let on = |date: NaiveDate| (ticker.to_uppercase(), date);
    let split = state.settings.splits.get(&on(bar.date)).map_or("1.0", String::as_str);
    let dividend = state.settings.dividends.get(&on(bar.date)).map_or("0.0", String::as_str);
    let Bar { date, open, high, low, close, volume } = bar;
    format!(
        r#"{{"date":"{date}T00:00:00.000Z","close":{close},"high":{high},"low":{low},"open":{open},"volume":{volume},"adjClose":{close},"adjHigh":{high},"adjLow":{low},"adjOpen":{open},"adjVolume":{volume},"divCash":{dividend},"splitFactor":{split}}}"#
    )
}

fn faulty(fault: Fault, ticker: &str, request: &Request, state: &State) -> WireResponse {
    let good = || body(ticker, request, state, |_| {}).unwrap_or_else(|| "[]".to_owned());
    match fault {
        Fault::ServerError => WireResponse::Status(500, "Internal Server Error"),
        Fault::Unavailable => WireResponse::Status(503, ""),
        Fault::Hang => WireResponse::Hang,
        Fault::Cut => WireResponse::Cut(half(&good())),
        Fault::Truncated => WireResponse::Json(half(&good())),
        Fault::Endless => WireResponse::Endless(good()),
        Fault::Html => WireResponse::Html("<!doctype html><html><body>Temporarily unavailable</body></html>"),
        // A body of Tiingo does not say which symbol it is about.
        Fault::Malformed | Fault::WrongSymbol => WireResponse::Json(r#"{"prices": 5}"#.to_owned()),
        Fault::Empty => WireResponse::Json("[]".to_owned()),
        Fault::BadRows => {
            let bad = |bars: &mut Vec<Bar>| {
                if let Some(newest) = bars.last_mut() {
                    newest.high = crate::alpha_vantage::bar::Ticks(newest.low.0 - 100);
                }
            };
            WireResponse::Json(body(ticker, request, state, bad).unwrap_or_default())
        }
        Fault::DuplicateDate => {
            let twice = |bars: &mut Vec<Bar>| {
                if let Some(mut newest) = bars.last().copied() {
                    newest.close = newest.open;
                    bars.push(newest);
                }
            };
            WireResponse::Json(body(ticker, request, state, twice).unwrap_or_default())
        }
        Fault::Unknown => unknown(ticker),
        Fault::Throttled | Fault::Quota => used_up(),
        Fault::InvalidKey => detail(401, "Invalid token."),
    }
}
