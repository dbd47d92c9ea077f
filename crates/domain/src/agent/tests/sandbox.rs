//! A portfolio led through sessions by hand.

use serde_json::Value;

use super::fixture::*;
use crate::agent::response::ToolCall;
use crate::agent::sandbox::{DatedBar, KnownMarket, Sandbox, SandboxSettings};
use crate::agent::tool::ToolOutcome;
use crate::market::instruments::Bar;

fn bars() -> Vec<DatedBar> {
    let row = |name: &str, date: &str, bar: Bar| (symbol(name), day(date), bar);
    vec![
        row("AAPL", "2025-10-01", bar(["99", "102", "98", "101.5"], 10)),
        row("AAPL", "2025-10-02", bar(["100", "111", "91", "110.9"], 20)),
        row("MSFT", "2025-10-02", bar(["256.5750", "266", "246", "265.9"], 50)),
    ]
}

fn tomorrow() -> KnownMarket {
    known(vec![(symbol("AAPL"), day("2025-10-03"), bar(["120", "122", "118", "121.9"], 30))])
}

fn known(bars: Vec<DatedBar>) -> KnownMarket {
    KnownMarket { bars, ..KnownMarket::default() }
}

fn begin(bars: Vec<DatedBar>) -> Sandbox {
    let World { universe, calendar, .. } = World::new();
    let settings = SandboxSettings { universe, calendar, initial_cash: decimal("1000"), search: true };
    Sandbox::begin(settings, day("2025-10-02"), known(bars)).unwrap()
}

fn call(sandbox: &mut Sandbox, name: &str, arguments: &str) -> String {
    let call = ToolCall {
        id: None,
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        extra: serde_json::Map::new(),
    };
    match sandbox.call(&call).unwrap() {
        ToolOutcome::Answered { text, .. } => text,
        ToolOutcome::Search(query) => format!("search {query}"),
    }
}

#[test]
fn the_position_carries_over_and_the_open_of_the_next_day_values_it() {
    let mut sandbox = begin(bars());

    assert_eq!(call(&mut sandbox, "buy", r#"{"symbol":"AAPL","amount":3}"#), r#"{"CASH":700,"AAPL":3}"#);
    assert_eq!(call(&mut sandbox, "buy", r#"{"symbol":"AAPL","amount":2}"#), r#"{"CASH":500,"AAPL":5}"#);
    assert_eq!(sandbox.next_session(), Some(day("2025-10-03")));
    let next: Value =
        serde_json::from_str(&sandbox.advance_to(day("2025-10-03"), tomorrow()).unwrap()).unwrap();

    assert_eq!(next["closed"]["orders"], 2);
    assert_eq!(next["closed"]["value_at_close"], 1054.5);
    assert_eq!(next["date"], "2025-10-03");
    assert_eq!(next["starting_value"], 1100);
    assert_eq!(next["observation"]["opens"]["AAPL"], 120);
    assert_eq!(call(&mut sandbox, "get_position", "{}"), r#"{"CASH":500,"AAPL":5}"#);
    assert_eq!(call(&mut sandbox, "sell", r#"{"symbol":"AAPL","amount":5}"#), r#"{"CASH":1100}"#);
}

#[test]
fn a_refused_order_changes_nothing() {
    let mut sandbox = begin(bars());

    let refused = call(&mut sandbox, "buy", r#"{"symbol":"AAPL","amount":11}"#);

    assert!(refused.contains("Insufficient cash"), "{refused}");
    assert_eq!(call(&mut sandbox, "get_position", "{}"), r#"{"CASH":1000}"#);
}

#[test]
fn there_is_no_way_back() {
    let mut sandbox = begin(bars());

    assert!(sandbox.advance_to(day("2025-10-01"), KnownMarket::default()).is_err());
    assert!(sandbox.advance_to(day("2025-10-02"), KnownMarket::default()).is_err());

    assert_eq!(sandbox.today(), day("2025-10-02"));
}

#[test]
fn another_future_changes_no_answer_of_the_day() {
    let poison = [
        (symbol("AAPL"), day("2025-10-02"), bar(["100", "9000", "1", "8999"], 999)),
        (symbol("MSFT"), day("2025-10-02"), bar(["256.575", "9000", "1", "2"], 999)),
        (symbol("AAPL"), day("2025-10-03"), bar(["7000", "7001", "6999", "7000"], 999)),
    ];
    let looks = [
        ("get_price_local", r#"{"symbol":"AAPL","date":"2025-10-01"}"#),
        ("get_price_local", r#"{"symbol":"AAPL","date":"2025-10-02"}"#),
        ("get_price_local", r#"{"symbol":"AAPL","date":"2025-10-03"}"#),
        ("get_price_history", r#"{"symbol":"AAPL","days":100}"#),
        ("buy", r#"{"symbol":"MSFT","amount":2}"#),
        ("get_position", "{}"),
    ];
    let play = |mut sandbox: Sandbox| {
        let mut said = vec![sandbox.observation().unwrap()];
        said.extend(looks.map(|(name, arguments)| call(&mut sandbox, name, arguments)));
        said.push(sandbox.observation().unwrap());
        said
    };

    let plain = play(begin(bars()));
    let poisoned = play(begin(bars().into_iter().chain(poison).collect()));

    assert_eq!(plain, poisoned);
    assert!(plain[3].contains("are not known"), "{}", plain[3]);
}
