//! Benchmarks over prices that are given, with corporate actions and without.

use std::collections::BTreeMap;

use super::*;
use crate::market::corporate_action::{Action, ActionKind, CorporateAction, Ratio};
use crate::market::known_actions::KnownActions;

const DAYS: [&str; 4] = ["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"];

fn dates(texts: &[&str]) -> Vec<NaiveDate> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn closes(of: &[(&str, &str)]) -> Closes {
    of.iter().map(|(date, price)| (date.parse().unwrap(), price.parse().unwrap())).collect()
}

/// Closes on the first of [`DAYS`]; a blank is none.
fn on_days(prices: &[&str]) -> Closes {
    let priced = DAYS.into_iter().zip(prices.iter().copied()).filter(|(_, price)| !price.is_empty());
    closes(&priced.collect::<Vec<_>>())
}

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn worths(curve: &Curve) -> Vec<String> {
    curve.points.iter().map(|(_, worth)| worth.normalize().to_string()).collect()
}

/// 100 dollars in `OLD` over [`DAYS`], with these actions of it.
fn held(prices: &[(&str, &[&str])], actions: &[(&str, Action)], dividends: Dividends) -> Vec<String> {
    let closes = prices.iter().map(|(name, prices)| (symbol(name), on_days(prices))).collect();
    let dated = |(date, action): &(&str, Action)| {
        (date.parse().unwrap(), CorporateAction { symbol: symbol("OLD"), action: action.clone() })
    };
    let actions = KnownActions::new(actions.iter().map(dated));
    let sessions = dates(&DAYS);
    let market = BenchmarkMarket { closes: &closes, actions: &actions, sessions: &sessions, dividends };
    worths(&market.buy_and_hold(Decimal::from(100), &symbol("OLD")).unwrap())
}

fn action(kind: ActionKind, ratio: (u128, u128), per_share: &str) -> Action {
    let ratio = Ratio::reduced(ratio.0, ratio.1);
    Action::of(kind, ratio, per_share.parse().ok(), "NEW".parse().ok()).unwrap()
}

fn plain<'a>(closes: &'a BTreeMap<Symbol, Closes>, sessions: &'a [NaiveDate]) -> BenchmarkMarket<'a> {
    BenchmarkMarket { closes, actions: KnownActions::NONE, sessions, dividends: Dividends::Cash }
}

#[test]
fn the_index_fund_gained_5_39_percent_in_october_2025() {
    let sessions = dates(&["2025-10-01", "2025-10-15", "2025-10-29"]);
    let qqq = closes(&[
        ("2025-09-30", "600.3700"),
        ("2025-10-01", "603.2500"),
        ("2025-10-15", "602.2200"),
        ("2025-10-29", "635.7700"),
        ("2025-10-30", "626.0500"),
    ]);
    let closes = BTreeMap::from([(symbol("QQQ"), qqq)]);

    let curve = plain(&closes, &sessions).buy_and_hold(Decimal::from(10_000), &symbol("QQQ")).unwrap();

    let (_, end) = curve.points.last().unwrap();
    assert_eq!((end / curve.points[0].1 * Decimal::from(100)).round_dp(2).to_string(), "105.39");
    assert_eq!(curve.points[0].1, Decimal::from(10_000));
    assert_eq!(curve.points[1].1.round_dp(2).to_string(), "9982.93");
}

#[test]
fn equal_weight_leaves_out_what_could_not_be_bought_at_the_start() {
    let sessions = dates(&["2025-10-01", "2025-10-02"]);
    let closes = BTreeMap::from([
        (symbol("A"), closes(&[("2025-10-01", "10"), ("2025-10-02", "11")])),
        (symbol("B"), closes(&[("2025-10-01", "20"), ("2025-10-02", "20")])),
        (symbol("C"), closes(&[("2025-09-30", "1"), ("2025-10-02", "99")])),
    ]);

    let curve = plain(&closes, &sessions).equal_weight(Decimal::from(1_000), closes.keys()).unwrap();

    assert_eq!(worths(&curve), ["1000", "1050"]);
    assert_eq!(curve.equity().len(), 3);
}

#[test]
fn a_missing_close_is_the_last_known_one() {
    assert_eq!(held(&[("OLD", &["10", "12", "", "9"])], &[], Dividends::Cash), ["100", "120", "120", "90"]);
}

#[test]
fn without_a_first_close_there_is_no_benchmark() {
    let sessions = dates(&["2025-10-01", "2025-10-02"]);
    let late = BTreeMap::from([(symbol("A"), closes(&[("2025-10-02", "10")]))]);
    let none = BTreeMap::new();

    assert_eq!(plain(&late, &sessions).buy_and_hold(Decimal::ONE, &symbol("A")), None);
    assert_eq!(plain(&late, &[]).buy_and_hold(Decimal::ONE, &symbol("A")), None);
    assert_eq!(plain(&none, &sessions).equal_weight(Decimal::ONE, none.keys()), None);
}

#[test]
fn a_split_changes_shares_and_no_value_and_one_before_the_first_close_changes_nothing() {
    let split = |date, ratio| (date, action(ActionKind::Split, ratio, ""));
    let halved: &[&str] = &["10", "12", "6.5", "7"];

    assert_eq!(
        held(&[("OLD", halved)], &[split("2025-10-03", (1, 2))], Dividends::Cash),
        ["100", "120", "130", "140"]
    );
    assert_eq!(
        held(&[("OLD", &["10", "12", "", "7"])], &[split("2025-10-03", (1, 2))], Dividends::Cash),
        ["100", "120", "120", "140"],
        "without a close on the day, the last one is in the new shares"
    );
    assert_eq!(
        held(&[("OLD", &["10", "12", "13", "14"])], &[split("2025-10-01", (1, 2))], Dividends::Cash),
        ["100", "120", "130", "140"]
    );
}

#[test]
fn a_dividend_is_cash_or_buys_shares_or_does_not_count() {
    let prices: &[(&str, &[&str])] = &[("OLD", &["10", "12", "10", "20"])];
    let dividend = [("2025-10-03", action(ActionKind::Dividend, (1, 1), "2"))];

    assert_eq!(held(prices, &dividend, Dividends::Cash), ["100", "120", "120", "220"]);
    assert_eq!(held(prices, &dividend, Dividends::Reinvested), ["100", "120", "120", "240"]);
    assert_eq!(held(prices, &dividend, Dividends::Ignored), ["100", "120", "100", "200"]);
}

#[test]
fn what_a_share_becomes_is_held_on() {
    let old: &[&str] = &["10", "10", "8", "8"];
    let gone: &[&str] = &["10", "10", "", ""];
    let new: &[&str] = &["", "", "4", "6"];
    let held = |old, action| held(&[("OLD", old), ("NEW", new)], &[("2025-10-03", action)], Dividends::Cash);

    assert_eq!(held(old, action(ActionKind::SpinOff, (2, 1), "")), ["100", "100", "100", "110"]);
    assert_eq!(held(gone, action(ActionKind::Rename, (1, 1), "")), ["100", "100", "40", "60"]);
    assert_eq!(held(gone, action(ActionKind::StockMerger, (1, 2), "1")), ["100", "100", "90", "130"]);
    assert_eq!(held(gone, action(ActionKind::CashMerger, (1, 1), "11")), ["100", "100", "110", "110"]);
    assert_eq!(held(gone, action(ActionKind::Delisting, (1, 1), "")), ["100", "100", "100", "100"]);
    assert_eq!(held(gone, action(ActionKind::Delisting, (1, 1), "0")), ["100", "100", "0", "0"]);
}

#[test]
fn shares_that_were_exchanged_for_something_unpriced_keep_their_value() {
    let gone: &[&str] = &["10", "12", "", ""];
    let merger = [("2025-10-03", action(ActionKind::StockMerger, (2, 3), ""))];

    let worths = held(&[("OLD", gone), ("NEW", &["", "", "", "9"])], &merger, Dividends::Cash);

    assert_eq!(worths, ["100", "120", "120", "135"]);
}
