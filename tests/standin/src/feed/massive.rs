//! The daily aggregates of Massive: all symbols of a date, or one symbol between two dates; and its splits and dividends.

use std::fmt::Write as _;

use chrono::{NaiveDate, TimeZone};
use serde_json::json;

use super::server::Request;
use super::state::{Refused, State};
use crate::alpha_vantage::bar::{Bar, Ticks};
use crate::alpha_vantage::fault::Fault;
use crate::wire::{WireResponse, half};

/// What a path asks for.
enum Requested {
    Date(NaiveDate),
    Ticker { ticker: String, from: NaiveDate, to: NaiveDate },
}

/// Decides the response and notes the call.
pub(super) fn respond(request: &Request, state: &mut State) -> WireResponse {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    if let ["v3", "reference", table @ ("splits" | "dividends")] = path[..] {
        return reference(table, request, state);
    }
    let Some((requested, subject)) = requested(&request.path) else {
        return WireResponse::Status(404, "404 page not found");
    };
    let key = request.authorization.as_deref().and_then(|text| text.strip_prefix("Bearer "));
    let key = key.or(request.parameter("apiKey"));
    let adjusted = request.parameter("adjusted") != Some("false");
    let (answer, response) = match state.take_fault(&subject) {
        Some(fault) => (format!("fault {fault}"), faulty(fault, &requested, adjusted, state)),
        None => match state.admit(key) {
            Err(Refused::NoKey) => ("no key".to_owned(), error(401, "API Key was not provided")),
            Err(Refused::BadKey) => ("bad key".to_owned(), error(401, "Unknown API Key")),
            Err(Refused::UsedUp) => ("throttled".to_owned(), too_fast()),
            Ok(()) if is_gated(&requested, state) => ("plan".to_owned(), gated()),
            Ok(()) => ("prices".to_owned(), WireResponse::Json(body(&requested, adjusted, state, |_| {}))),
        },
    };
    state.note(&subject, key, answer);
    response
}

fn requested(path: &[String]) -> Option<(Requested, String)> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["v2", "aggs", "grouped", "locale", "us", "market", "stocks", date] => {
            Some((Requested::Date(date.parse().ok()?), date.to_owned()))
        }
        ["v2", "aggs", "ticker", ticker, "range", "1", "day", from, to] => {
            let (ticker, subject) = (ticker.to_owned(), ticker.to_owned());
            Some((Requested::Ticker { ticker, from: from.parse().ok()?, to: to.parse().ok()? }, subject))
        }
        _ => None,
    }
}

/// `GET /v3/reference/splits` and `/dividends`, of a ticker or of a date. Without either, the real service lists all.
fn reference(table: &str, request: &Request, state: &mut State) -> WireResponse {
    let field = if table == "splits" { "execution_date" } else { "ex_dividend_date" };
    let on = request.date(field);
    let since = request.date(&format!("{field}.gte"));
    let ticker = request.parameter("ticker").map(str::to_owned);
    let subject = ticker.clone().or(on.map(|date| date.to_string())).unwrap_or_else(|| "all".to_owned());
    let subject = format!("{table} {subject}");
    let key = request.authorization.as_deref().and_then(|text| text.strip_prefix("Bearer "));
    let limit = request.parameter("limit").map_or(10, |limit| limit.parse().unwrap_or(0));
    let is_selected = |symbol: &str, date: NaiveDate| {
        ticker.as_deref().is_none_or(|ticker| ticker == symbol)
            && on.is_none_or(|on| on == date)
            && since.is_none_or(|since| since <= date)
    };
    let (answer, response) = match state.take_fault(&subject) {
        Some(Fault::Truncated) => {
            ("fault truncated".to_owned(), WireResponse::Json(r#"{"results":[{"#.to_owned()))
        }
        Some(fault) => (format!("fault {fault}"), gated()),
        None => match state.admit(key) {
            Err(Refused::NoKey) => ("no key".to_owned(), error(401, "API Key was not provided")),
            Err(Refused::BadKey) => ("bad key".to_owned(), error(401, "Unknown API Key")),
            Err(Refused::UsedUp) => ("throttled".to_owned(), too_fast()),
            Ok(()) if !(1..=1000).contains(&limit) => {
                ("limit".to_owned(), error(400, "limit must be between 1 and 1000"))
            }
            Ok(()) => {
                let rows = if table == "splits" {
                    splits(state, is_selected)
                } else {
                    dividends(state, is_selected)
                };
                (table.to_owned(), WireResponse::Json(listed(&rows, limit)))
            }
        },
    };
    state.note(&subject, key, answer);
    response
}

/// A page of rows, the newest first, with the address of the next one if there are more.
fn listed(rows: &[(NaiveDate, String)], limit: usize) -> String {
    let mut rows: Vec<&(NaiveDate, String)> = rows.iter().collect();
    rows.sort_by(|(one, _), (other, _)| other.cmp(one));
    let page: Vec<&str> = rows.iter().take(limit).map(|(_, row)| row.as_str()).collect();
    let mut body = format!(r#"{{"results":[{}],"status":"OK","request_id":"r""#, page.join(","));
    if rows.len() > limit {
        body.push_str(r#","next_url":"https://api.massive.com/v3/reference/splits?cursor=YQ""#);
    }
    body.push('}');
    body
}

fn splits(state: &State, is_selected: impl Fn(&str, NaiveDate) -> bool) -> Vec<(NaiveDate, String)> {
    let selected = state.settings.splits.iter().filter(|((symbol, date), _)| is_selected(symbol, *date));
    let row = |((symbol, date), factor): (&(String, NaiveDate), &String)| {
        let (to, from) = factor.split_once(':').unwrap_or((factor, "1"));
        let text = format!(
            r#"{{"execution_date":"{date}","id":"E{symbol}{date}","split_from":{from},"split_to":{to},"ticker":"{symbol}"}}"#
        );
        (*date, text)
    };
    selected.map(row).collect()
}

/// A dividend may be written as the sum of several payments, and in another currency: `0.22+1.5`, `0.3 CAD`.
fn dividends(state: &State, is_selected: impl Fn(&str, NaiveDate) -> bool) -> Vec<(NaiveDate, String)> {
    let selected = state.settings.dividends.iter().filter(|((symbol, date), _)| is_selected(symbol, *date));
    let rows = |((symbol, date), cash): (&(String, NaiveDate), &String)| {
        let payments = cash.split('+').map(|payment| {
            let (amount, currency) = payment.split_once(' ').unwrap_or((payment, "USD"));
            let mut text = format!(r#"{{"cash_amount":{amount},"currency":"{currency}","#);
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                r#""declaration_date":"{date}","dividend_type":"CD","ex_dividend_date":"{date}","frequency":4,"id":"E{symbol}","pay_date":"{date}","record_date":"{date}","ticker":"{symbol}"}}"#
            );
            (*date, text)
        });
        payments.collect::<Vec<_>>()
    };
    selected.flat_map(rows).collect()
}

fn is_gated(requested: &Requested, state: &State) -> bool {
    let oldest = match requested {
        Requested::Date(date) => *date,
        Requested::Ticker { from, .. } => *from,
    };
    state.settings.reaches_back_to.is_some_and(|reach| oldest < reach)
}

fn error(status: u16, text: &str) -> WireResponse {
    WireResponse::Refusal(status, json!({ "status": "ERROR", "request_id": "r", "error": text }).to_string())
}

fn too_fast() -> WireResponse {
    error(429, "You've exceeded the maximum requests per minute, please wait or upgrade your subscription.")
}

fn gated() -> WireResponse {
    let message = "Your plan doesn't include this data timeframe. Please upgrade your plan at https://polygon.io/pricing";
    let body = json!({ "status": "NOT_AUTHORIZED", "request_id": "r", "message": message });
    WireResponse::Refusal(403, body.to_string())
}

/// The body with its rows, which `change` may spoil. `results` is left out when there are none.
fn body(
    requested: &Requested,
    adjusted: bool,
    state: &State,
    change: impl FnOnce(&mut Vec<(String, Bar)>),
) -> String {
    let mut rows: Vec<(String, Bar)> = Vec::new();
    let bars = |symbol: &str, from, to| state.bars(symbol, from..=to).unwrap_or_default();
    match requested {
        Requested::Date(date) if !state.is_session(*date) => {}
        Requested::Date(date) => {
            for symbol in &state.settings.market {
                rows.extend(bars(symbol, *date, *date).into_iter().map(|bar| (symbol.clone(), bar)));
            }
        }
        // Class shares are written with a dot.
        Requested::Ticker { ticker, .. } if ticker.contains('-') => {}
        Requested::Ticker { ticker, from, to } => {
            rows.extend(bars(ticker, *from, *to).into_iter().map(|bar| (ticker.clone(), bar)));
        }
    }
    change(&mut rows);
    let count = rows.len();
    let status = if count == 0 { "DELAYED" } else { "OK" };
    let ticker = match requested {
        Requested::Date(_) => String::new(),
        Requested::Ticker { ticker, .. } => format!(r#""ticker":"{ticker}","#),
    };
    let results: Vec<String> = rows.iter().map(|(symbol, bar)| row(symbol, bar, requested)).collect();
    let results = if count == 0 { String::new() } else { format!(r#""results":[{}],"#, results.join(",")) };
    format!(
        r#"{{{ticker}"queryCount":{count},"resultsCount":{count},"adjusted":{adjusted},{results}"status":"{status}","request_id":"r","count":{count}}}"#
    )
}

fn row(symbol: &str, bar: &Bar, requested: &Requested) -> String {
    // A date's rows have the instant of the close, a symbol's rows that of midnight, both in New York.
    let (ticker, hour) = match requested {
        Requested::Date(_) => (format!(r#""T":"{symbol}","#), 16),
        Requested::Ticker { .. } => (String::new(), 0),
    };
    let at = bar.date.and_hms_opt(hour, 0, 0).unwrap_or_default();
    let at = chrono_tz::America::New_York.from_local_datetime(&at).earliest();
    let t = at.map_or(0, |at| at.timestamp_millis());
    let Bar { open, high, low, close, volume, .. } = bar;
    format!(
        r#"{{{ticker}"v":{volume},"vw":{close},"o":{open},"c":{close},"h":{high},"l":{low},"t":{t},"n":1}}"#
    )
}

fn faulty(fault: Fault, requested: &Requested, adjusted: bool, state: &State) -> WireResponse {
    let good = || body(requested, adjusted, state, |_| {});
    match fault {
        Fault::ServerError => WireResponse::Status(500, "Internal Server Error"),
        Fault::Unavailable => WireResponse::Status(503, ""),
        Fault::Hang => WireResponse::Hang,
        Fault::Cut => WireResponse::Cut(half(&good())),
        Fault::Truncated => WireResponse::Json(half(&good())),
        Fault::Endless => WireResponse::Endless(good()),
        Fault::Html => WireResponse::Html("<!doctype html><html><body>Temporarily unavailable</body></html>"),
        Fault::Malformed => WireResponse::Json(r#"{"status":"OK","results":5}"#.to_owned()),
        Fault::WrongSymbol => WireResponse::Json(match requested {
            Requested::Ticker { ticker, .. } => {
                good().replacen(&format!(r#""ticker":"{ticker}""#), r#""ticker":"WRNG""#, 1)
            }
            Requested::Date(date) => {
                let other = Requested::Date(*date - chrono::Days::new(7));
                body(&other, adjusted, state, |_| {})
            }
        }),
        Fault::Empty | Fault::Unknown => WireResponse::Json(body(requested, adjusted, state, Vec::clear)),
        Fault::BadRows => WireResponse::Json(body(requested, adjusted, state, |rows| {
            if let Some((_, bar)) = rows.first_mut() {
                bar.high = Ticks(bar.low.0 - 100);
            }
        })),
        Fault::DuplicateDate => WireResponse::Json(body(requested, adjusted, state, |rows| {
            if let Some((symbol, mut bar)) = rows.first().cloned() {
                bar.close = bar.open;
                rows.push((symbol, bar));
            }
        })),
        Fault::Throttled | Fault::Quota => too_fast(),
        Fault::InvalidKey => error(401, "Unknown API Key"),
    }
}
