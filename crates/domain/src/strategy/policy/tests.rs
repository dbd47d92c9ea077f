//! What the policies order, and that they order nothing that would be refused.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::accounting::costs::{CostTerms, Costs};
use crate::accounting::day_book::DayBook;
use crate::accounting::day_result::DayResult;
use crate::accounting::market_day::MarketDay;
use crate::accounting::portfolio::Portfolio;
use crate::market::as_of::AsOf;
use crate::market::calendar::Calendar;
use crate::market::instruments::{Bar, Universe};
use crate::market::known_actions::KnownActions;
use crate::market::price_table::PriceTable;
use crate::values::money::Price;

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn bar(open: &str, close: &str) -> Bar {
    let (open, close): (Price, Price) = (open.parse().unwrap(), close.parse().unwrap());
    Bar::new(open, open.max(close), open.min(close), close, 1).unwrap()
}

/// October 2025, from the rows `symbol day open close`.
struct World {
    table: PriceTable,
    calendar: Calendar,
    universe: Universe,
    costs: Costs,
}

impl World {
    fn of(rows: &[(&str, u32, &str, &str)]) -> Self {
        let mut symbols: Vec<Symbol> = Vec::new();
        let mut table = PriceTable::default();
        for (name, date, open, close) in rows {
            if !symbols.contains(&symbol(name)) {
                symbols.push(symbol(name));
            }
            table.insert(symbol(name), day(&format!("2025-10-{date:02}")), bar(open, close));
        }
        let universe = Universe { name: "test".to_owned(), symbols, benchmark: None };
        Self { table, calendar: Calendar::nyse(), universe, costs: Costs::NONE }
    }

    fn decide(
        &self,
        policy: &Policy,
        date: &str,
        portfolio: &Portfolio,
        day_index: u32,
        salt: &str,
    ) -> Vec<String> {
        let as_of = AsOf::new(&self.table, &self.calendar, day(date));
        let (universe, costs) = (&self.universe, &self.costs);
        let orders = policy.decide(&Situation { as_of, portfolio, universe, costs, day_index, salt });
        orders.iter().map(|order| format!("{} {} {}", order.side, order.symbol, order.quantity)).collect()
    }

    /// Plays all sessions of October 2025 and insists that every order is carried out.
    fn play(&self, policy: &Policy, salt: &str) -> Vec<DayResult> {
        let mut results: Vec<DayResult> = Vec::new();
        for (index, date) in (0..).zip(self.calendar.sessions(day("2025-10-01"), day("2025-10-31"))) {
            let previous = results.last().cloned().map(DayResult::into_previous);
            let market = MarketDay::new(&self.table, KnownActions::NONE, date);
            let cash = Decimal::from(10_000);
            let mut book =
                DayBook::open(date, previous.as_ref(), cash, &self.universe, &market, &[], self.costs)
                    .unwrap();
            let as_of = AsOf::new(&self.table, &self.calendar, date);
            let orders = policy.decide(&Situation {
                as_of,
                portfolio: book.portfolio(),
                universe: &self.universe,
                costs: &self.costs,
                day_index: index,
                salt,
            });
            for order in orders {
                book.submit(&order).unwrap_or_else(|refusal| panic!("{policy:?} on {date}: {refusal}"));
            }
            results.push(book.close().unwrap());
        }
        results
    }
}

fn cash(amount: i64) -> Portfolio {
    Portfolio::new(Decimal::from(amount), BTreeMap::new()).unwrap()
}

fn holding(amount: i64, positions: &[(&str, u64)]) -> Portfolio {
    let holdings = positions.iter().map(|(name, quantity)| (symbol(name), *quantity)).collect();
    Portfolio::new(Decimal::from(amount), holdings).unwrap()
}

fn momentum(lookback: u16, top: u16, every: u16) -> Policy {
    let [lookback, top, rebalance_every] = [lookback, top, every].map(|n| n.try_into().unwrap());
    Policy::Momentum { lookback, top, rebalance_every }
}

fn first_of_october() -> World {
    World::of(&[
        ("AAPL", 1, "255.04", "255.45"),
        ("MSFT", 1, "514.80", "519.71"),
        ("NVDA", 1, "185.24", "187.24"),
    ])
}

/// `members` whose prices wander by a fixed rule, some days without a bar.
fn wandering(members: u32, seed: u32) -> World {
    let mut world = World::of(&[]);
    let price = |cents: u32| Price::try_from(Decimal::new(cents.into(), 2)).unwrap();
    for member in 0..members {
        let name = symbol(&format!("S{member}"));
        for (n, date) in (0_u32..).zip(world.calendar.sessions(day("2025-09-01"), day("2025-10-31"))) {
            let noise = (member * 7919 + n * 104_729 + seed).wrapping_mul(2_654_435_761) >> 16;
            if noise.is_multiple_of(23) {
                continue;
            }
            let (open, close) = (price(100 + noise % 40_000), price(100 + noise / 3 % 40_000));
            let bar = Bar::new(open, open.max(close), open.min(close), close, 1).unwrap();
            world.table.insert(name.clone(), date, bar);
        }
        world.universe.symbols.push(name);
    }
    world
}

#[test]
fn buy_and_hold_puts_all_cash_into_whole_shares_once() {
    let world = first_of_october();
    let policy = Policy::BuyAndHold { symbol: symbol("AAPL") };

    assert_eq!(world.decide(&policy, "2025-10-01", &cash(10_000), 0, "m"), ["buy AAPL 39"]);
    assert!(world.decide(&policy, "2025-10-01", &holding(10_000, &[("MSFT", 1)]), 1, "m").is_empty());
    assert!(world.decide(&policy, "2025-10-02", &cash(10_000), 1, "m").is_empty(), "no bar, no order");
}

#[test]
fn buy_and_hold_leaves_room_for_the_costs() {
    let mut world = first_of_october();
    let terms = CostTerms { bps: Decimal::TEN, min: Decimal::from(54), ..CostTerms::default() };
    world.costs = terms.try_into().unwrap();

    let orders =
        world.decide(&Policy::BuyAndHold { symbol: symbol("AAPL") }, "2025-10-01", &cash(10_000), 0, "m");

    assert_eq!(orders, ["buy AAPL 38"]);
}

#[test]
fn equal_weight_buys_the_quantities_of_the_vector() {
    let world = first_of_october();

    let orders = world.decide(&Policy::EqualWeight, "2025-10-01", &cash(10_000), 0, "m");

    assert_eq!(orders, ["buy AAPL 13", "buy MSFT 6", "buy NVDA 17"]);
}

#[test]
fn equal_weight_leaves_out_members_without_a_bar() {
    let mut world = first_of_october();
    world.universe.symbols.insert(1, symbol("NONE"));

    let orders = world.decide(&Policy::EqualWeight, "2025-10-01", &cash(10_000), 0, "m");

    assert_eq!(orders, ["buy AAPL 13", "buy MSFT 6", "buy NVDA 17"]);
}

/// Over the two sessions before the 6th A rose by a tenth, B fell, C rose by a fifth, D has no bar
/// on the 1st. What E does on the 6th itself must not count.
fn risers() -> World {
    let mut rows = Vec::new();
    for (name, first, last) in
        [("A", "100", "110"), ("B", "100", "90"), ("C", "100", "120"), ("E", "100", "100")]
    {
        rows.extend([(name, 1, "100", first), (name, 3, "100", last), (name, 6, "50", "50")]);
    }
    rows.extend([("D", 3, "100", "500"), ("D", 6, "50", "50"), ("E", 6, "50", "5000")]);
    World::of(&rows)
}

#[test]
fn momentum_holds_the_strongest_in_equal_weights_and_sells_first() {
    let world = risers();

    let orders =
        world.decide(&momentum(2, 2, 1), "2025-10-06", &holding(500, &[("A", 20), ("B", 10)]), 0, "m");

    assert_eq!(orders, ["sell B 10", "buy C 20"]);
}

#[test]
fn momentum_trades_only_on_its_days_and_keeps_what_it_cannot_rank() {
    let world = risers();
    let held = holding(500, &[("B", 10)]);

    assert!(world.decide(&momentum(2, 2, 3), "2025-10-06", &held, 2, "m").is_empty());
    assert!(!world.decide(&momentum(2, 2, 3), "2025-10-06", &held, 3, "m").is_empty());
    assert!(world.decide(&momentum(9, 2, 1), "2025-10-06", &held, 0, "m").is_empty(), "no bars so far back");
}

#[test]
fn random_orders_depend_on_seed_day_and_salt_only() {
    let world = wandering(10, 1);
    let draw = |seed, date, salt| {
        let policy = Policy::Random { seed, orders_per_day: 4 };
        world.decide(&policy, date, &holding(10_000, &[("S1", 9), ("S2", 9)]), 0, salt)
    };

    let orders = draw(1, "2025-10-01", "m");

    assert_eq!(orders, draw(1, "2025-10-01", "m"));
    assert_ne!(orders, draw(2, "2025-10-01", "m"));
    assert_ne!(orders, draw(1, "2025-10-03", "m"));
    assert_ne!(orders, draw(1, "2025-10-01", "n"));
}

#[test]
fn random_orders_are_the_same_in_every_release() {
    let policy = Policy::Random { seed: 42, orders_per_day: 4 };

    let orders = wandering(10, 1).decide(&policy, "2025-10-01", &holding(10_000, &[("S1", 9)]), 0, "m");

    assert_eq!(orders, ["sell S1 7", "sell S1 2", "buy S7 39", "buy S6 18"]);
}

#[test]
fn cash_never_trades() {
    assert!(first_of_october().decide(&Policy::Cash, "2025-10-01", &cash(10_000), 0, "m").is_empty());
}

#[test]
fn a_policy_is_written_with_its_name_and_settings() {
    let read = |text: &str| serde_json::from_str::<Policy>(text);

    assert_eq!(
        read(r#"{"policy":"buy_and_hold","symbol":"QQQ"}"#).unwrap(),
        Policy::BuyAndHold { symbol: symbol("QQQ") }
    );
    assert_eq!(
        read(r#"{"policy":"momentum","lookback":20,"top":5,"rebalance_every":5}"#).unwrap(),
        momentum(20, 5, 5)
    );
    assert_eq!(read(r#"{"policy":"equal_weight"}"#).unwrap(), Policy::EqualWeight);
    assert!(read(r#"{"policy":"momentum","lookback":0,"top":5,"rebalance_every":5}"#).is_err());
    assert!(read(r#"{"policy":"clairvoyant"}"#).is_err());
}

/// The same world in which everything after the open of `today` is poison.
fn poisoned(world: &World, today: NaiveDate) -> World {
    let poison: Price = "99999".parse().unwrap();
    let mut table = world.table.clone();
    for name in &world.universe.symbols {
        for date in world.calendar.sessions(today, day("2025-10-31")) {
            let open = match crate::market::as_of::PriceHistory::bar(&world.table, name, date) {
                Some(bar) if date == today => bar.open(),
                None if date == today => continue,
                Some(_) | None => poison,
            };
            table.insert(name.clone(), date, Bar::new(open, poison, open.min(poison), poison, 666).unwrap());
        }
    }
    let (calendar, universe) = (world.calendar.clone(), world.universe.clone());
    World { table, calendar, universe, costs: world.costs }
}

fn all_policies(seed: u64) -> Vec<Policy> {
    let held = Policy::BuyAndHold { symbol: symbol("S0") };
    let random = Policy::Random { seed, orders_per_day: 6 };
    vec![held, Policy::EqualWeight, momentum(5, 3, 2), momentum(1, 20, 1), random, Policy::Cash]
}

#[test]
fn no_decision_depends_on_what_comes_after_the_open() {
    let world = wandering(12, 3);

    for policy in all_policies(7) {
        let mut portfolio = cash(10_000);
        for (index, result) in (0..).zip(world.play(&policy, "m")) {
            let date = result.date.to_string();
            let real = world.decide(&policy, &date, &portfolio, index, "m");
            let poisoned = poisoned(&world, result.date).decide(&policy, &date, &portfolio, index, "m");
            assert_eq!(real, poisoned, "{policy:?} on {date}");
            portfolio = result.ending;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_order_of_every_policy_is_carried_out(
        seed in 0_u32..1_000_000,
        (bps, min, slippage) in (0_i64..500, 0_i64..20, 0_i64..200),
    ) {
        let mut world = wandering(12, seed);
        let terms = CostTerms {
            bps: Decimal::from(bps),
            per_share: Decimal::new(5, 3),
            min: Decimal::from(min),
            max_bps_of_notional: None,
            slippage_bps: Decimal::from(slippage),
        };

        for costs in [Costs::NONE, terms.try_into().unwrap()] {
            world.costs = costs;
            for policy in all_policies(seed.into()) {
                let days = world.play(&policy, "m");
                let traded = days.iter().any(|day| !day.fills.is_empty());
                prop_assert!(traded || matches!(policy, Policy::Cash | Policy::BuyAndHold { .. }), "{policy:?}");
            }
        }
    }
}
