//! The book's rules, one by one and for arbitrary orders.

mod fixture;
mod recorded;
mod vectors;

use proptest::prelude::*;

use super::*;
use crate::accounting::costs::CostTerms;
use crate::accounting::market_day::MarketDay;
use crate::accounting::order::{RequestedQuantity, Side};
use crate::market::corporate_action::Action;
use crate::market::instruments::Bar;
use crate::market::known_actions::KnownActions;
use crate::market::price_table::PriceTable;
use crate::market::rules::MarketRules;
use fixture::{Quotes, date, decimal, symbol, universe};

const HUGE: i128 = i128::MAX;

fn submit(book: &mut DayBook<'_>, side: Side, name: &str, quantity: i128) -> Result<Fill, Refusal> {
    book.submit(&Order::new(side, name, RequestedQuantity::Integer(quantity)))
}

fn first_day<'a>(cash: &str, universe: &'a Universe, quotes: &'a Quotes, costs: Costs) -> DayBook<'a> {
    DayBook::open(date("2025-10-01"), None, decimal(cash), universe, quotes, &[], costs).unwrap()
}

#[test]
fn very_dear_and_very_cheap_shares_are_exact() {
    let universe = universe(&["BRK.A", "PENY"]);
    let quotes = Quotes::at_open(&[("BRK.A", "780000"), ("PENY", "0.0001")]);
    let mut book = first_day("10000000", &universe, &quotes, Costs::NONE);

    submit(&mut book, Side::Buy, "BRK.A", 10).unwrap();
    let bought = submit(&mut book, Side::Buy, "PENY", 5_000_000_000).unwrap();
    let sold = submit(&mut book, Side::Sell, "PENY", 3_000_000_000).unwrap();

    assert_eq!((bought.cash_after, sold.cash_after), (decimal("1700000"), decimal("2000000")));
    assert_eq!(sold.position_after, 2_000_000_000);
    assert_eq!(book.close().unwrap().value_at_open, decimal("10000000"));
}

#[test]
fn what_is_held_outside_the_universe_can_be_sold_and_not_bought() {
    let price: Price = "20".parse().unwrap();
    let bar = Bar::new(price, price, price, price, 1).unwrap();
    let table: PriceTable = [(symbol("CHLD"), date("2025-10-02"), bar)].into_iter().collect();
    let universe = universe(&["PARN"]);
    let portfolio = Portfolio::new(decimal("100"), [(symbol("CHLD"), 2)].into()).unwrap();
    let previous = PreviousDay { date: date("2025-10-01"), portfolio, ending_value_at_open: decimal("140") };
    let market = MarketDay::new(&table, KnownActions::NONE, date("2025-10-02"));
    let open = |market| {
        let (today, cash) = (date("2025-10-02"), Decimal::ZERO);
        DayBook::open(today, Some(&previous), cash, &universe, market, &[], Costs::NONE).unwrap()
    };
    let mut book = open(&market);

    assert_eq!(submit(&mut book, Side::Buy, "CHLD", 1).unwrap_err().code(), "unknown_symbol");
    assert_eq!(submit(&mut book, Side::Sell, "CHLD", 2).unwrap().cash_after, decimal("140"));
    assert_eq!(submit(&mut book, Side::Sell, "CHLD", 1).unwrap_err().code(), "unknown_symbol");
    let of_before = market.under(MarketRules::AsTraded);
    let refused = submit(&mut open(&of_before), Side::Sell, "CHLD", 1).unwrap_err();
    assert_eq!(refused.code(), "unknown_symbol");
}

/// The portfolio after 2025-10-03, when OLD takes the symbol NEW, which was worth `of_new` until then, and after `fate`.
fn after_a_takeover(of_new: &str, fate: Option<Action>) -> DayResult {
    let bar = |name: &str, day: &str, price: &str| {
        let price: Price = price.parse().unwrap();
        (symbol(name), date(day), Bar::new(price, price, price, price, 1).unwrap())
    };
    let table: PriceTable = [
        bar("OLD", "2025-10-01", "100"),
        bar("OLD", "2025-10-02", "110"),
        bar("NEW", "2025-10-01", of_new),
        bar("NEW", "2025-10-03", "120"),
    ]
    .into_iter()
    .collect();
    let rename = Action::Rename { new: symbol("NEW") };
    let actions = [Some(("OLD", rename)), fate.map(|fate| ("NEW", fate))].into_iter().flatten();
    let actions =
        actions.map(|(name, action)| (date("2025-10-03"), CorporateAction { symbol: symbol(name), action }));
    let known = KnownActions::new(actions);
    let universe = universe(&["NEW"]);
    let held = [(symbol("OLD"), 2), (symbol("NEW"), 3)].into();
    let portfolio = Portfolio::new(decimal("0"), held).unwrap();
    let previous = PreviousDay { date: date("2025-10-02"), portfolio, ending_value_at_open: decimal("250") };
    let market = MarketDay::new(&table, &known, date("2025-10-03"));
    let (today, cash) = (date("2025-10-03"), Decimal::ZERO);
    let due = known.between(previous.date, today);
    DayBook::open(today, Some(&previous), cash, &universe, &market, due, Costs::NONE)
        .unwrap()
        .close()
        .unwrap()
}

#[test]
fn shares_of_a_company_that_loses_its_symbol_never_become_those_of_the_next_one() {
    let day = after_a_takeover("10", None);

    assert_eq!(day.ending.holdings(), &[(symbol("NEW"), 2)].into());
    assert_eq!(day.ending.cash(), decimal("30"), "its last close, as an estimate");
    let shown: Vec<_> =
        day.actions.iter().map(|did| (did.symbol.as_str(), did.action.is_estimated())).collect();
    assert_eq!(shown, [("NEW", true), ("OLD", false)]);
}

#[test]
fn what_became_of_a_company_that_loses_its_symbol_is_used_where_it_is_known() {
    let paid = after_a_takeover("10", Some(Action::Delisting { per_share: Some(decimal("7")) }));
    let estimated = after_a_takeover("10", Some(Action::Delisting { per_share: None }));
    let renamed = after_a_takeover("10", Some(Action::Rename { new: symbol("NEXT") }));

    assert_eq!((paid.ending.cash(), paid.ending.quantity(&symbol("NEW"))), (decimal("21"), 2));
    assert_eq!((estimated.ending.cash(), estimated.actions.len()), (decimal("30"), 2));
    assert_eq!(renamed.ending.holdings(), &[(symbol("NEW"), 2), (symbol("NEXT"), 3)].into());
}

#[test]
fn shares_of_one_company_under_both_of_its_symbols_are_the_same_ones() {
    let day = after_a_takeover("100.01", None);

    assert_eq!((day.ending.quantity(&symbol("NEW")), day.ending.cash()), (5, decimal("0")));
}

#[test]
fn a_session_without_volume_fills_no_order_but_values_what_is_held() {
    let price: Price = "10".parse().unwrap();
    let bar = |volume| Bar::new(price, price, price, price, volume).unwrap();
    let table: PriceTable = [("AAPL", bar(0)), ("MSFT", bar(1))]
        .map(|(name, bar)| (symbol(name), date("2025-10-02"), bar))
        .into_iter()
        .collect();
    let universe = universe(&["AAPL", "MSFT"]);
    let held = Portfolio::new(decimal("100"), [(symbol("AAPL"), 1)].into()).unwrap();
    let previous =
        PreviousDay { date: date("2025-10-01"), portfolio: held, ending_value_at_open: decimal("110") };
    let market = MarketDay::new(&table, KnownActions::NONE, date("2025-10-02"));
    let open = |market| {
        let (today, cash) = (date("2025-10-02"), Decimal::ZERO);
        DayBook::open(today, Some(&previous), cash, &universe, market, &[], Costs::NONE).unwrap()
    };
    let mut book = open(&market);

    for side in [Side::Buy, Side::Sell] {
        assert_eq!(submit(&mut book, side, "AAPL", 1).unwrap_err().code(), "halted");
    }
    submit(&mut book, Side::Buy, "MSFT", 1).unwrap();

    let day = book.close().unwrap();
    assert_eq!((day.value_at_open, day.stale), (decimal("110"), vec![]));
    let of_before = market.under(MarketRules::AsTraded);
    assert!(submit(&mut open(&of_before), Side::Sell, "AAPL", 1).is_ok());
}

#[test]
fn an_order_is_refused_for_the_first_rule_it_breaks() {
    let (universe, quotes) = (universe(&["AAPL", "MSFT"]), Quotes::at_open(&[("AAPL", "100")]));
    let mut book = first_day("1000", &universe, &quotes, Costs::NONE);
    let not_integer =
        |name: &str| Order::new(Side::Buy, name, RequestedQuantity::NotInteger("1.5".to_owned()));

    let code = |refused: Result<Fill, Refusal>| refused.unwrap_err().code();

    assert_eq!(code(book.submit(&not_integer("nonsense"))), "quantity_not_integer");
    assert_eq!(code(submit(&mut book, Side::Sell, "nonsense", 0)), "quantity_not_positive");
    assert_eq!(code(submit(&mut book, Side::Buy, "AAPL", -1)), "quantity_not_positive");
    assert_eq!(code(submit(&mut book, Side::Buy, "aapl", HUGE)), "unknown_symbol");
    assert_eq!(code(submit(&mut book, Side::Buy, "TSLA", 1)), "unknown_symbol");
    assert_eq!(code(submit(&mut book, Side::Sell, "MSFT", 1)), "no_price");
    assert_eq!(code(submit(&mut book, Side::Buy, "AAPL", 11)), "insufficient_cash");
    assert_eq!(code(submit(&mut book, Side::Sell, "AAPL", 1)), "insufficient_shares");

    let day = book.close().unwrap();
    assert_eq!(
        day.refusals.iter().map(|refused| refused.sequence).collect::<Vec<_>>(),
        (0..8).collect::<Vec<_>>()
    );
    assert_eq!((day.fills, day.ending), (vec![], day.starting));
}

#[test]
fn a_refusal_says_what_was_missing_and_takes_a_sequence() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::at_open(&[("AAPL", "100")]));
    let mut book = first_day("1000", &universe, &quotes, Costs::NONE);

    let poor = submit(&mut book, Side::Buy, "AAPL", 11).unwrap_err();
    let bought = submit(&mut book, Side::Buy, "AAPL", 3).unwrap();
    let short = submit(&mut book, Side::Sell, "AAPL", 4).unwrap_err();

    assert_eq!(poor, Refusal::InsufficientCash { required: decimal("1100"), available: decimal("1000") });
    assert_eq!(bought.sequence, 1);
    assert_eq!(short, Refusal::InsufficientShares { symbol: symbol("AAPL"), held: 3, requested: 4 });
}

#[test]
fn a_refused_order_is_kept_as_it_was_written_with_the_rule_that_it_broke() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::at_open(&[("AAPL", "100")]));
    let mut book = first_day("1000", &universe, &quotes, Costs::NONE);
    let order = Order::new(Side::Sell, "aapl ", RequestedQuantity::NotInteger("\"ten\"".to_owned()));

    submit(&mut book, Side::Buy, "AAPL", 1).unwrap();
    book.submit(&order).unwrap_err();

    let kept = RefusedOrder {
        sequence: 1,
        side: Side::Sell,
        symbol: "aapl ".to_owned(),
        quantity: "\"ten\"".to_owned(),
        code: "quantity_not_integer".to_owned(),
    };
    assert_eq!(book.close().unwrap().refusals, [kept]);
}

#[test]
fn a_huge_quantity_is_refused_without_overflow() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::at_open(&[("AAPL", "99999999999999.9999999999")]));
    let mut book = first_day("10000", &universe, &quotes, Costs::NONE);

    for quantity in [u64::MAX.into(), i128::from(u64::MAX) + 1, HUGE] {
        let refused = submit(&mut book, Side::Buy, "AAPL", quantity).unwrap_err();
        let required = Decimal::MAX;
        assert_eq!(
            refused,
            Refusal::InsufficientCash { required, available: decimal("10000") },
            "{quantity}"
        );
        let refused = submit(&mut book, Side::Sell, "AAPL", quantity).unwrap_err();
        assert_eq!(
            refused,
            Refusal::InsufficientShares { symbol: symbol("AAPL"), held: 0, requested: quantity }
        );
    }
}

#[test]
fn an_open_book_may_wait_on_any_thread() {
    fn sent<T: Send>() {}

    sent::<DayBook<'static>>();
    sent::<crate::market::as_of::AsOf<'static>>();
}

#[test]
fn the_benchmark_can_be_traded() {
    let mut universe = universe(&["AAPL"]);
    universe.benchmark = Some(symbol("QQQ"));
    let quotes = Quotes::at_open(&[("QQQ", "600")]);

    let fill = submit(&mut first_day("1000", &universe, &quotes, Costs::NONE), Side::Buy, "QQQ", 1);

    assert_eq!(fill.unwrap().cash_after, decimal("400"));
}

#[test]
fn a_sale_never_leaves_less_than_no_cash() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::at_open(&[("AAPL", "0.5")]));
    let terms = CostTerms { min: decimal("1"), ..CostTerms::default() };
    let mut book = first_day("1.5", &universe, &quotes, terms.try_into().unwrap());
    submit(&mut book, Side::Buy, "AAPL", 1).unwrap();

    let refused = submit(&mut book, Side::Sell, "AAPL", 1).unwrap_err();

    assert_eq!(refused, Refusal::InsufficientCash { required: decimal("1"), available: decimal("0.5") });
    assert_eq!(book.portfolio().quantity(&symbol("AAPL")), 1);
}

#[test]
fn slippage_costs_value_at_the_open() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::at_open(&[("AAPL", "100")]));
    let terms = CostTerms { slippage_bps: decimal("5"), ..CostTerms::default() };
    let mut book = first_day("1000", &universe, &quotes, terms.try_into().unwrap());

    let bought = submit(&mut book, Side::Buy, "AAPL", 2).unwrap();
    let sold = submit(&mut book, Side::Sell, "AAPL", 1).unwrap();

    assert_eq!((bought.price.to_string(), sold.price.to_string()), ("100.05".to_owned(), "99.95".to_owned()));
    assert_eq!(book.close().unwrap().value_at_open, decimal("999.85"));
}

#[test]
fn the_start_is_checked() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::default());
    let holding = Portfolio::new(decimal("1"), [(symbol("AAPL"), 1)].into()).unwrap();
    let open = |previous: Option<(&str, &Portfolio)>, cash: &str| {
        let previous = previous.map(|(day, portfolio)| PreviousDay {
            date: date(day),
            portfolio: portfolio.clone(),
            ending_value_at_open: decimal("1"),
        });
        let today = date("2025-10-02");
        let opened =
            DayBook::open(today, previous.as_ref(), decimal(cash), &universe, &quotes, &[], Costs::NONE);
        opened.err()
    };

    assert!(matches!(open(None, "-1"), Some(DayError::Portfolio(_))));
    assert!(matches!(open(Some(("2025-10-02", &holding)), "1"), Some(DayError::NotAfter { .. })));
    assert_eq!(open(Some(("2025-10-01", &holding)), "1"), Some(DayError::Unpriced(symbol("AAPL"))));
}

#[test]
fn a_portfolio_that_was_worth_nothing_returns_nothing() {
    let (universe, quotes) = (universe(&["AAPL"]), Quotes::default());
    let previous = first_day("0", &universe, &quotes, Costs::NONE).close().unwrap().into_previous();

    let today = date("2025-10-02");
    let book = DayBook::open(today, Some(&previous), Decimal::ZERO, &universe, &quotes, &[], Costs::NONE);

    assert_eq!(book.unwrap().close().unwrap().return_pct, Decimal::ZERO);
}

/// Orders in symbols with a price (A, B), without one (C) and outside the universe (D).
fn any_order() -> impl Strategy<Value = Order> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let name = prop_oneof![4 => Just("A"), 4 => Just("B"), 1 => Just("C"), 1 => Just("D")];
    let quantity = prop_oneof![
        20 => (1_i128..200).prop_map(RequestedQuantity::Integer),
        2 => any::<i128>().prop_map(RequestedQuantity::Integer),
        1 => Just(RequestedQuantity::NotInteger("1.5".to_owned())),
    ];
    (side, name, quantity).prop_map(|(side, name, quantity)| Order::new(side, name, quantity))
}

/// A price of up to six places.
fn any_price() -> impl Strategy<Value = Decimal> {
    (1_i64..2_000_000_000).prop_map(|micros| Decimal::new(micros, 6))
}

fn any_costs() -> impl Strategy<Value = Costs> {
    let bound = |most: i64| (0..most).prop_map(|hundredths| Decimal::new(hundredths, 2));
    let cap = proptest::option::of(bound(20_000));
    (bound(10_000), bound(500), bound(1_000), cap, bound(999_999)).prop_map(
        |(bps, per_share, min, max_bps_of_notional, slippage_bps)| {
            CostTerms { bps, per_share, min, max_bps_of_notional, slippage_bps }.try_into().unwrap()
        },
    )
}

proptest! {
    #[test]
    fn no_orders_lead_below_zero_and_every_amount_follows_from_the_fills(
        orders in prop::collection::vec(any_order(), 0..40),
        (a, b) in (any_price(), any_price()),
        costs in any_costs(),
    ) {
        let universe = universe(&["A", "B", "C"]);
        let quotes = Quotes::at_open(&[("A", &a.to_string()), ("B", &b.to_string())]);
        let mut book = first_day("10000", &universe, &quotes, costs);

        for order in &orders {
            let before = book.portfolio().clone();
            match book.submit(order) {
                Ok(fill) => {
                    prop_assert!(fill.cash_after >= Decimal::ZERO && fill.quantity >= 1);
                    let moved = match fill.side {
                        Side::Buy => -fill.notional - fill.fee,
                        Side::Sell => fill.notional - fill.fee,
                    };
                    prop_assert_eq!(fill.cash_after, before.cash() + moved);
                    prop_assert_eq!(fill.cash_after, book.portfolio().cash());
                    prop_assert_eq!(fill.position_after, book.portfolio().quantity(&fill.symbol));
                }
                Err(_) => prop_assert_eq!(&before, book.portfolio()),
            }
        }

        let day = book.close().unwrap();
        prop_assert!(day.ending.holdings().values().all(|quantity| *quantity > 0));
        prop_assert_eq!(day.fills.len() + day.refusals.len(), orders.len());
        prop_assert!(day.value_at_open <= day.starting_value);
    }

    #[test]
    fn trades_at_the_mark_without_costs_keep_the_value(
        orders in prop::collection::vec(any_order(), 0..40),
        (a, b) in (any_price(), any_price()),
    ) {
        let universe = universe(&["A", "B", "C"]);
        let quotes = Quotes::at_open(&[("A", &a.to_string()), ("B", &b.to_string())]);
        let mut book = first_day("10000", &universe, &quotes, Costs::NONE);

        for order in &orders {
            let _ = book.submit(order);
        }

        let day = book.close().unwrap();
        prop_assert_eq!(day.value_at_open, day.starting_value);
        prop_assert_eq!(day.fills.iter().map(|fill| fill.fee).sum::<Decimal>(), Decimal::ZERO);
    }
}
