//! The public run of October 2025: six models' orders at the real opens lead to the published accounts.

use std::collections::BTreeMap;

use super::fixture::{Quotes, date, decimal, symbol, universe};
use super::*;
use crate::strategy::recorded_orders;

const DECISIONS: &str = include_str!("../../../../testdata/recorded_decisions.csv");
const PORTFOLIOS: &str = include_str!("../../../../testdata/recorded_portfolios.csv");
const PRICES: &str = include_str!("../../../../testdata/recorded_prices.txt");

/// The market of each day: `symbol open/close ...` by symbol, below a line of the dates.
fn markets() -> BTreeMap<NaiveDate, Quotes> {
    let mut lines = PRICES.lines().map(|line| line.split(' '));
    let dates: Vec<NaiveDate> = lines.next().unwrap().skip(1).map(date).collect();
    let mut markets: BTreeMap<_, _> = dates.iter().map(|date| (*date, Quotes::default())).collect();
    for mut line in lines {
        let symbol = symbol(line.next().unwrap());
        for (date, quote) in dates.iter().zip(line) {
            let (open, close) = quote.split_once('/').unwrap();
            let quote = (open.parse().unwrap(), close.parse().unwrap());
            markets.get_mut(date).unwrap().today.insert(symbol.clone(), quote);
        }
    }
    markets
}

fn run() -> BTreeMap<String, Vec<DayResult>> {
    let markets = markets();
    let names: Vec<String> = markets.values().next().unwrap().today.keys().map(ToString::to_string).collect();
    let universe = universe(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let decisions = recorded_orders::parse(DECISIONS).unwrap();
    let days = |orders: BTreeMap<NaiveDate, Vec<recorded_orders::RecordedOrder>>| {
        let mut results: Vec<DayResult> = Vec::new();
        for (date, quotes) in &markets {
            let previous = results.last().cloned().map(DayResult::into_previous);
            let cash = decimal("10000");
            let mut book =
                DayBook::open(*date, previous.as_ref(), cash, &universe, quotes, &[], Costs::NONE).unwrap();
            for recorded in orders.get(date).into_iter().flatten() {
                let accepted = book.submit(&recorded.order());
                assert_eq!(accepted.is_ok(), recorded.quantity != 0, "{recorded:?}: {accepted:?}");
            }
            results.push(book.close().unwrap());
        }
        results
    };
    decisions.into_iter().map(|(model, orders)| (model, days(orders))).collect()
}

#[test]
fn every_recorded_day_ends_with_the_recorded_cash_holdings_and_value() {
    let results = run();
    let mut compared = 0;

    for line in PORTFOLIOS.lines().skip(1) {
        let [model, day, cash, holdings, value] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let result = results[model].iter().find(|result| result.date == date(day)).unwrap();
        let held: Vec<_> = result.ending.holdings().iter().map(|(name, n)| format!("{name}:{n}")).collect();
        assert_eq!(result.ending.cash(), decimal(cash), "{line}");
        assert_eq!(held.join(" "), holdings, "{line}");
        assert_eq!(result.value_at_close, decimal(value), "{line}");
        compared += 1;
    }

    assert_eq!(compared, 120);
}

#[test]
fn the_recorded_run_has_306_fills_and_five_refusals() {
    let days: Vec<DayResult> = run().into_values().flatten().collect();
    let refusals: Vec<_> = days.iter().flat_map(|day| &day.refusals).collect();

    assert_eq!(days.iter().map(|day| day.fills.len()).sum::<usize>(), 306);
    assert_eq!(refusals.len(), 5);
    assert!(refusals.iter().all(|refused| refused.code == "quantity_not_positive"));
}

#[test]
fn the_last_closes_are_the_published_leaderboard() {
    let gain = |days: &Vec<DayResult>| {
        half_even(days.last().unwrap().value_at_close / decimal("100") - decimal("100"), 2)
    };

    let board: BTreeMap<_, _> =
        run().iter().map(|(model, days)| (model.clone(), gain(days).to_string())).collect();

    let published = [
        ("MiniMax-M2", "12.03"),
        ("claude-3.7-sonnet", "9.8"),
        ("deepseek-chat-v3.1", "16.46"),
        ("gemini-2.5-flash", "0.48"),
        ("gpt-5", "9.98"),
        ("qwen3-max", "7.96"),
    ];
    assert_eq!(board, published.map(|(model, gain)| (model.to_owned(), gain.to_owned())).into());
}
