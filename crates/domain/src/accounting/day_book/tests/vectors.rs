//! Every case of `testdata/portfolio.json`, field by field.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::fixture::{Quotes, date, universe};
use super::*;
use crate::accounting::order::{RequestedQuantity, Side};
use crate::market::corporate_action::{Action, Ratio};

const VECTORS: &str = include_str!("../../../../testdata/portfolio.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    initial_cash: Decimal,
    universe: Vec<String>,
    #[serde(default)]
    costs: Costs,
    #[serde(rename = "final")]
    end: Value,
    days: Vec<Day>,
}

#[derive(Deserialize)]
struct Day {
    date: String,
    prices: BTreeMap<Symbol, Quote>,
    orders: Vec<OrderLine>,
    #[serde(default)]
    splits: Vec<SplitLine>,
    #[serde(default)]
    dividends: Vec<DividendLine>,
    expected: Value,
}

#[derive(Deserialize)]
struct SplitLine {
    symbol: Symbol,
    from: u128,
    to: u128,
}

#[derive(Deserialize)]
struct DividendLine {
    symbol: Symbol,
    per_share: Price,
}

impl Day {
    fn actions(&self) -> Vec<(NaiveDate, CorporateAction)> {
        let split = |line: &SplitLine| {
            let action = Action::Split(Ratio::reduced(line.from, line.to).unwrap());
            CorporateAction { symbol: line.symbol.clone(), action }
        };
        let dividend = |line: &DividendLine| {
            let action = Action::Dividend { per_share: line.per_share };
            CorporateAction { symbol: line.symbol.clone(), action }
        };
        let actions = self.splits.iter().map(split).chain(self.dividends.iter().map(dividend));
        actions.map(|action| (date(&self.date), action)).collect()
    }
}

#[derive(Deserialize)]
struct Quote {
    open: Price,
    close: Price,
}

#[derive(Deserialize)]
struct OrderLine {
    side: Side,
    symbol: String,
    quantity: Value,
}

#[test]
fn every_case_of_the_vectors_comes_out_exactly() {
    let cases: Vec<Case> = serde_json::from_str(VECTORS).unwrap();

    assert_eq!(cases.len(), 10);
    for case in &cases {
        assert_eq!(play(case), case.end, "end of {}", case.name);
    }
}

/// Plays the case, comparing every day, and gives its end.
fn play(case: &Case) -> Value {
    let names: Vec<&str> = case.universe.iter().map(String::as_str).collect();
    let universe = universe(&names);
    let mut quotes = Quotes::default();
    let mut results: Vec<DayResult> = Vec::new();
    for day in &case.days {
        quotes = quotes.then(day.prices.iter().map(|(name, q)| (name.clone(), (q.open, q.close))).collect());
        let previous = results.last().cloned().map(DayResult::into_previous);
        let previous = previous.as_ref();
        let mut book = DayBook::open(
            date(&day.date),
            previous,
            case.initial_cash,
            &universe,
            &quotes,
            &day.actions(),
            case.costs,
        )
        .unwrap();
        let orders: Vec<Value> =
            (0..).zip(&day.orders).map(|(seq, line)| answer(&mut book, seq, line)).collect();
        let result = book.close().unwrap();
        assert_eq!(written(&result, &orders), day.expected, "{} on {}", case.name, day.date);
        results.push(result);
    }
    let last = results.last().unwrap();
    let total = |amount: fn(&Fill) -> Decimal| {
        results.iter().flat_map(|day| &day.fills).map(amount).sum::<Decimal>().normalize().to_string()
    };
    json!({
        "cash": last.ending.cash().to_string(),
        "holdings": last.ending.holdings(),
        "value_at_open": last.value_at_open.to_string(),
        "value_at_close": last.value_at_close.to_string(),
        "gross_turnover": total(|fill| fill.notional),
        "fees": total(|fill| fill.fee),
    })
}

fn answer(book: &mut DayBook<'_>, sequence: u32, line: &OrderLine) -> Value {
    let order = Order::new(line.side, line.symbol.clone(), RequestedQuantity::from(&line.quantity));
    match book.submit(&order) {
        Ok(fill) => json!({
            "seq": fill.sequence,
            "status": "filled",
            "price": fill.price.to_string(),
            "notional": fill.notional.to_string(),
            "fee": fill.fee.to_string(),
            "cash_after": fill.cash_after.to_string(),
            "position_after": fill.position_after,
        }),
        Err(refusal) => {
            let mut answer = json!({"seq": sequence, "status": "rejected", "reason": refusal.code()});
            if let Refusal::InsufficientCash { required, available } = refusal {
                answer["required"] = required.to_string().into();
                answer["available"] = available.to_string().into();
            }
            answer
        }
    }
}

fn written(day: &DayResult, orders: &[Value]) -> Value {
    json!({
        "days_since_last_trading": day.days_since_last_trading,
        "starting_cash": day.starting.cash().to_string(),
        "starting_holdings": day.starting.holdings(),
        "starting_portfolio_value": day.starting_value.to_string(),
        "daily_profit": day.profit.to_string(),
        "daily_return_pct": day.return_pct.to_string(),
        "orders": orders,
        "ending_cash": day.ending.cash().to_string(),
        "ending_holdings": day.ending.holdings(),
        "ending_portfolio_value_at_open": day.value_at_open.to_string(),
        "ending_portfolio_value_at_close": day.value_at_close.to_string(),
        "valued_with_stale_price": day.stale,
    })
}
