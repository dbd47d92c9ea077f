//! Splits and dividends, which are calls of their own: of one symbol, or of all symbols on a date.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use domain::market::corporate_action::{Action, Ratio};
use domain::market::instruments::Symbol;
use domain::values::date::parse_date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::classify::{Query, Requested, refusal};
use crate::provider::action_calls::ActionTable;
use crate::provider::http::HttpResponse;
use crate::provider::numbers::decimal;
use crate::provider::spelling::{Separator, spelled};
use crate::provider::{Outcome, PriceResponse};

/// The most rows of a response. A date has a few hundred, a symbol a few dozen.
const LIMIT: &str = "1000";

pub(super) fn path(table: ActionTable) -> [&'static str; 3] {
    ["v3", "reference", name(table)]
}

fn name(table: ActionTable) -> &'static str {
    match table {
        ActionTable::Splits => "splits",
        ActionTable::Dividends => "dividends",
    }
}

/// The parameters that select what belongs to the requested prices.
pub(super) fn parameters(table: ActionTable, requested: Requested<'_>) -> Vec<(&'static str, String)> {
    let (on, since) = match table {
        ActionTable::Splits => ("execution_date", "execution_date.gte"),
        ActionTable::Dividends => ("ex_dividend_date", "ex_dividend_date.gte"),
    };
    let mut parameters = match requested {
        Requested::Date { date, .. } => vec![(on, date.to_string())],
        Requested::Symbol { ticker, from, .. } => {
            vec![("ticker", ticker.to_owned()), (since, from.to_string())]
        }
    };
    parameters.push(("limit", LIMIT.to_owned()));
    parameters
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    results: Option<Vec<Row<'a>>>,
    #[serde(default)]
    next_url: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Row<'a> {
    ticker: String,
    execution_date: Option<String>,
    #[serde(borrow)]
    split_from: Option<&'a RawValue>,
    #[serde(borrow)]
    split_to: Option<&'a RawValue>,
    ex_dividend_date: Option<String>,
    #[serde(borrow)]
    cash_amount: Option<&'a RawValue>,
    currency: Option<String>,
}

/// The class of `response`: actions without bars, or why there are none.
pub(super) fn classify(response: &HttpResponse, table: ActionTable, query: &Query<'_>) -> Outcome {
    let malformed = |reason: &str| Outcome::Malformed { reason: format!("{}: {reason}", name(table)) };
    if let Some(outcome) = response.class_of_status(query.now) {
        return outcome;
    }
    let body = serde_json::from_slice::<Body<'_>>(&response.body);
    let (status, text) = match &body {
        Ok(body) => {
            (body.status.as_str(), query.key.redact(format!("{} {}", body.message, body.error).trim()))
        }
        Err(_) => ("", String::new()),
    };
    match refusal(response, status, text, query) {
        Some(Outcome::PlanGated(_)) => {
            return malformed("the key's plan does not include them; leave out actions = true");
        }
        Some(Outcome::NoPrices(why)) => return malformed(why.reason()),
        Some(outcome) => return outcome,
        None => {}
    }
    let Ok(body) = body else { return malformed("a cut or unknown body") };
    if body.next_url.is_some_and(|next| !next.is_empty()) {
        return malformed("more rows than one response holds");
    }
    let rows = body.results.unwrap_or_default();
    let Some(rows) = of_request(&rows, query) else { return malformed("a body about another symbol") };
    // What is declared for later comes again with the call that brings that session's bar.
    let is_past = |date: &NaiveDate| *date <= query.sessions.storable_until;
    let actions = match table {
        ActionTable::Splits => splits(&rows),
        ActionTable::Dividends => dividends(&rows),
    };
    let actions = actions.into_iter().filter(|(_, date, _)| is_past(date)).collect();
    Outcome::Bars(PriceResponse { actions, ..PriceResponse::default() })
}

/// The rows with the symbols that were requested; `None` when one has a symbol that cannot be among them.
fn of_request<'r>(rows: &'r [Row<'r>], query: &Query<'_>) -> Option<Vec<(Symbol, &'r Row<'r>)>> {
    match query.requested {
        Requested::Symbol { symbol, ticker, .. } => {
            let own = |row: &'r Row<'r>| (row.ticker == ticker).then(|| (symbol.clone(), row));
            rows.iter().map(own).collect()
        }
        Requested::Date { symbols, .. } => {
            let requested: HashMap<String, &Symbol> =
                symbols.iter().map(|symbol| (spelled(symbol, Separator::Dot), symbol)).collect();
            let known = |row: &'r Row<'r>| Some(((*requested.get(&row.ticker)?).clone(), row));
            Some(rows.iter().filter_map(known).collect())
        }
    }
}

fn splits(rows: &[(Symbol, &Row<'_>)]) -> Vec<(Symbol, NaiveDate, Action)> {
    let split = |(symbol, row): &(Symbol, &Row<'_>)| {
        let ratio =
            ratio(decimal(row.split_from?)?, decimal(row.split_to?)?).filter(|ratio| !ratio.is_one())?;
        Some((symbol.clone(), parse_date(row.execution_date.as_deref()?)?, Action::Split(ratio)))
    };
    rows.iter().filter_map(split).collect()
}

/// Shares for shares; some are written as fractions.
fn ratio(mut from: Decimal, mut to: Decimal) -> Option<Ratio> {
    let scale = from.scale().max(to.scale());
    from.rescale(scale);
    to.rescale(scale);
    Ratio::reduced(from.mantissa().try_into().ok()?, to.mantissa().try_into().ok()?)
}

/// The payments in dollars. Those of one day, such as a special one beside the regular one, are one.
fn dividends(rows: &[(Symbol, &Row<'_>)]) -> Vec<(Symbol, NaiveDate, Action)> {
    let mut paid: BTreeMap<(Symbol, NaiveDate), Decimal> = BTreeMap::new();
    for (symbol, row) in rows {
        let is_dollars = row.currency.as_deref().is_none_or(|currency| currency.eq_ignore_ascii_case("usd"));
        let date = row.ex_dividend_date.as_deref().and_then(parse_date);
        if let (true, Some(date), Some(amount)) = (is_dollars, date, row.cash_amount.and_then(decimal)) {
            let sum = paid.entry((symbol.clone(), date)).or_default();
            *sum = sum.saturating_add(amount);
        }
    }
    let dividend = |((symbol, date), amount): ((Symbol, NaiveDate), Decimal)| {
        Some((symbol, date, Action::Dividend { per_share: amount.try_into().ok()? }))
    };
    paid.into_iter().filter_map(dividend).collect()
}
