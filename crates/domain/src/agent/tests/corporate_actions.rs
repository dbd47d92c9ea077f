//! What an agent is told of corporate actions, and of halts.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::transcript::Role;
use crate::agent::{Dialect, ModelResponse};
use crate::market::corporate_action::{Action, CorporateAction, Ratio};
use crate::market::known_actions::KnownActions;

fn looks() -> Vec<ModelResponse> {
    vec![
        call_tools(&[
            ("get_price_history", r#"{"symbol":"AAPL","days":2}"#),
            ("get_price_local", r#"{"symbol":"AAPL","date":"2025-10-02"}"#),
            ("buy", r#"{"symbol":"AAPL","amount":1}"#),
        ]),
        done(),
    ]
}

/// A world in which AAPL is split 2:1 on that date, and MSFT, which is not held, pays a dividend.
fn with_actions(dialect: Dialect, date: &str) -> World {
    let split = Action::Split(Ratio::reduced(1, 2).unwrap());
    let dividend = Action::Dividend { per_share: "0.25".parse().unwrap() };
    let actions = [("AAPL", split), ("MSFT", dividend)]
        .map(|(name, action)| (day(date), CorporateAction { symbol: symbol(name), action }));
    World { dialect, actions: KnownActions::new(actions), ..World::new() }
}

/// The results of the tools, in the order of the calls, and the first request.
fn played(world: &World) -> (Vec<Value>, String) {
    let market = world.market();
    let (requests, ended) = world.play(&market, &looks());
    let results = ended.transcript.messages.iter().filter(|message| message.role == Role::Tool);
    let results = results.map(|message| serde_json::from_str(&message.content).unwrap()).collect();
    (results, requests[0].body.clone())
}

#[test]
fn todays_actions_are_told_in_words_and_as_data_and_earlier_prices_are_in_todays_shares() {
    let (plain, _) = played(&World::new());
    let (results, body) = played(&with_actions(Dialect::ChatCompletions, "2025-10-02"));

    assert!(body.contains("- AAPL was split 2:1 (new shares for old ones)."), "{body}");
    assert!(body.contains("- MSFT paid a dividend of 0.25 dollars a share."), "{body}");
    assert!(body.contains("adjusted for the splits up to today"), "{body}");
    let close = |results: &[Value]| results[0]["bars"][0]["close"].as_f64().unwrap();
    assert!((close(&plain) - 2.0 * close(&results)).abs() < 1e-9, "{results:?}");
    let split = json!([{ "date": "2025-10-02", "symbol": "AAPL", "action": "split", "ratio": "2:1" }]);
    assert_eq!((&results[0]["corporate_actions"], &results[1]["corporate_actions"]), (&split, &split));
    assert_eq!(results[1]["ohlcv"], plain[1]["ohlcv"], "today's open is in the new shares");

    let (_, body) = played(&with_actions(Dialect::Agent, "2025-10-02"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body["observation"]["corporate_actions"],
        json!([{ "symbol": "AAPL", "action": "split", "ratio": "2:1" },
            { "symbol": "MSFT", "action": "dividend", "per_share": 0.25 }])
    );
}

#[test]
fn actions_of_a_later_day_and_of_none_change_no_byte() {
    for dialect in [Dialect::ChatCompletions, Dialect::Agent] {
        let world = World { dialect, ..World::new() };

        assert_eq!(played(&with_actions(dialect, "2025-10-03")), played(&world));
        assert!(!played(&world).1.contains("corporate_actions"));
    }
}

#[test]
fn a_halted_symbol_has_no_open_and_an_order_in_it_is_refused_with_the_reason() {
    let mut world = World::new();
    world.table.extend([(symbol("AAPL"), day("2025-10-02"), bar(["100", "100", "100", "100"], 0))]);

    let (results, body) = played(&world);

    for result in &results[1..] {
        let error = result["error"].as_str().unwrap();
        assert_eq!(error, "Symbol AAPL is halted on 2025-10-02: nothing was traded in the session");
    }
    assert!(!body.contains("AAPL: 100"), "{body}");
}
