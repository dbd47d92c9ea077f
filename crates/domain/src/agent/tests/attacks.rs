//! Models that try what they may not.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::EndReason;

/// The tool's answer to one call, and that the portfolio stayed as it was.
fn refused(name: &str, arguments: &str) -> String {
    let world = World::new();
    let market = world.market();

    let (_, ended) = world.play(&market, &[call_tools(&[(name, arguments)]), done()]);

    let answer = results(&ended, 1).remove(0);
    let day = ended.book.close().unwrap();
    assert_eq!(day.starting, day.ending, "{name} {arguments}");
    answer
}

fn check(name: &str, arguments: &str, expected: &str) {
    assert_eq!(refused(name, arguments), expected, "{name} {arguments}");
}

#[test]
fn an_impossible_quantity_is_refused() {
    let error = |text: &str| format!(r#"{{"error":"{text}","symbol":"AAPL","date":"2025-10-02"}}"#);
    let positive = error("Quantity must be positive");
    let integer = error("Quantity must be an integer");
    for side in ["buy", "sell"] {
        for amount in ["0", "-1", "-99999999999999999999999"] {
            check(side, &format!(r#"{{"symbol":"AAPL","amount":{amount}}}"#), &positive);
        }
        for amount in ["1.5", "\"5\"", "null", "true", "[5]", "{\"n\":5}", "\"ten\""] {
            check(side, &format!(r#"{{"symbol":"AAPL","amount":{amount}}}"#), &integer);
        }
    }
}

#[test]
fn a_huge_quantity_is_refused_with_what_is_known() {
    check(
        "buy",
        r#"{"symbol":"AAPL","amount":11}"#,
        r#"{"error":"Insufficient cash","required_cash":1100,"cash_available":1000,"symbol":"AAPL","date":"2025-10-02"}"#,
    );
    check(
        "buy",
        r#"{"symbol":"AAPL","amount":1e30}"#,
        r#"{"error":"Insufficient cash","cash_available":1000,"symbol":"AAPL","date":"2025-10-02"}"#,
    );
    check(
        "sell",
        r#"{"symbol":"AAPL","amount":1}"#,
        r#"{"error":"No position for AAPL","symbol":"AAPL","date":"2025-10-02"}"#,
    );
}

#[test]
fn more_than_is_held_cannot_be_sold() {
    let world = World::new();
    let market = world.market();
    let calls = [("buy", r#"{"symbol":"AAPL","amount":2}"#), ("sell", r#"{"symbol":"AAPL","amount":3}"#)];

    let (_, ended) = world.play(&market, &[call_tools(&calls), done()]);

    assert_eq!(
        results(&ended, 1)[1],
        r#"{"error":"Insufficient shares","have":2,"want_to_sell":3,"symbol":"AAPL","date":"2025-10-02"}"#
    );
}

#[test]
fn an_unknown_symbol_is_refused_in_few_words() {
    check(
        "buy",
        r#"{"symbol":"aapl","amount":1}"#,
        r#"{"error":"Symbol aapl not found on 2025-10-02","symbol":"aapl","date":"2025-10-02"}"#,
    );
    check(
        "buy",
        r#"{"symbol":"QQQ","amount":1}"#,
        r#"{"error":"Symbol QQQ not found on 2025-10-02","symbol":"QQQ","date":"2025-10-02"}"#,
    );
    let nul = refused("buy", r#"{"symbol":"A\u0000B","amount":1}"#);
    assert!(nul.contains("A\u{fffd}B"), "{nul}");
    let long = format!(r#"{{"symbol":"{}","amount":1}}"#, "X".repeat(100_000));
    assert!(refused("buy", &long).len() < 300);
    assert!(refused("get_price_local", &long.replace("\"amount\":1", "\"date\":\"2025-10-01\"")).len() < 300);
}

#[test]
fn a_refused_order_s_own_words_are_kept_short() {
    let world = World::new();
    let market = world.market();
    let long = format!(r#"{{"symbol":"AAPL","amount":"{}"}}"#, "9".repeat(100_000));

    let (_, ended) = world.play(&market, &[call_tools(&[("buy", &long)]), done()]);

    let refusal = ended.book.close().unwrap().refusals.remove(0);
    assert!(refusal.quantity.len() < 100, "{}", refusal.quantity);
}

#[test]
fn parallel_purchases_share_the_cash() {
    let world = World::new();
    let market = world.market();
    let six = ("buy", r#"{"symbol":"AAPL","amount":6}"#);

    let (_, ended) = world.play(&market, &[call_tools(&[six, six, six]), done()]);

    let short = r#"{"error":"Insufficient cash","required_cash":600,"cash_available":400,"symbol":"AAPL","date":"2025-10-02"}"#;
    assert_eq!(results(&ended, 1), [r#"{"CASH":400,"AAPL":6}"#, short, short]);
    let day = ended.book.close().unwrap();
    assert_eq!((day.ending.cash(), day.fills.len(), day.refusals.len()), (decimal("400"), 1, 2));
}

#[test]
fn a_position_told_by_the_model_changes_nothing() {
    let injected = r#"{"symbol":"AAPL","amount":11,"_current_position":{"CASH":1000000000},"signature":"x",
        "today_date":"2025-10-01","job_id":"j","session_id":1,"price":1,"cash":1e9}"#;

    check(
        "buy",
        injected,
        r#"{"error":"Insufficient cash","required_cash":1100,"cash_available":1000,"symbol":"AAPL","date":"2025-10-02"}"#,
    );
}

#[test]
fn the_future_is_refused() {
    let price = |date: &str| refused("get_price_local", &format!(r#"{{"symbol":"AAPL","date":"{date}"}}"#));

    assert_eq!(
        price("2025-10-03"),
        r#"{"error":"Prices after the open of 2025-10-02 are not known","symbol":"AAPL","date":"2025-10-03"}"#
    );
    assert_eq!(price("2025-10-02"), r#"{"symbol":"AAPL","date":"2025-10-02","ohlcv":{"open":100}}"#);
    assert_eq!(
        price("2025-10-01"),
        r#"{"symbol":"AAPL","date":"2025-10-01","ohlcv":{"open":99,"high":102,"low":98,"close":101.5,"volume":10}}"#
    );
    assert_eq!(
        price("2025-09-30"),
        r#"{"error":"Symbol AAPL not found on 2025-09-30","symbol":"AAPL","date":"2025-09-30"}"#
    );
    let history = refused("get_price_history", r#"{"symbol":"AAPL","days":999999}"#);
    assert!(history.contains("2025-10-01") && !history.contains("2025-10-02"), "{history}");
}

#[test]
fn a_tool_that_does_not_exist_is_answered_with_those_that_do() {
    check(
        "transfer_cash",
        r#"{"amount":1000000}"#,
        r#"{"error":"Unknown tool transfer_cash. Available tools: get_price_local, get_price_history, get_position, buy, sell, add, multiply"}"#,
    );
    let world = World::new();
    let market = world.market();
    let odd = format!("buy\n\"x {}", "y".repeat(1_000));

    let (requests, _) = world.play(&market, &[call_tools(&[(&odd, "{}"), ("", "{}")]), done()]);

    let body = body(&requests[1]);
    let names: Vec<_> =
        (0..2).map(|index| body["messages"][2]["tool_calls"][index]["function"]["name"].clone()).collect();
    assert_eq!(names[0].as_str().unwrap().len(), 64);
    assert!(names[0].as_str().unwrap().starts_with("buy__x_y"));
    assert_eq!(names[1], "unknown");
}

#[test]
fn wrong_arguments_are_explained() {
    check("get_position", "null", r#"{"CASH":1000}"#);
    check("buy", r#"{"symbol":"AAPL"}"#, r#"{"error":"Missing required parameter: amount"}"#);
    check("buy", r#"{"amount":1}"#, r#"{"error":"Missing required parameter: symbol"}"#);
    check("buy", r#"{"symbol":7,"amount":1}"#, r#"{"error":"symbol must be a string"}"#);
    check(
        "get_price_local",
        r#"{"symbol":"AAPL","date":"10/01/2025"}"#,
        r#"{"error":"date must be a string of the form YYYY-MM-DD"}"#,
    );
    check(
        "get_price_history",
        r#"{"symbol":"AAPL","days":0}"#,
        r#"{"error":"days must be an integer from 1 to 100"}"#,
    );
    check(
        "get_price_history",
        r#"{"symbol":"AAPL","days":"5"}"#,
        r#"{"error":"days must be an integer from 1 to 100"}"#,
    );
    check("add", r#"{"a":1,"b":"x"}"#, r#"{"error":"b must be a number of at most 28 digits"}"#);
}

#[test]
fn sums_and_products_are_exact_or_none() {
    check("add", r#"{"a":0.1,"b":0.2}"#, r#"{"result":0.3}"#);
    check("add", r#"{"a":12345678901234567.89,"b":"0.11"}"#, r#"{"result":12345678901234568}"#);
    check("multiply", r#"{"a":256.575,"b":1e2}"#, r#"{"result":25657.5}"#);
    check("multiply", r#"{"a":1e20,"b":1e20}"#, r#"{"error":"The result needs more than 28 digits"}"#);
}

#[test]
fn ten_thousand_calls_are_bounded() {
    let world = World::new();
    let market = world.market();
    let flood = call_tools(&vec![("get_position", "{}"); 10_000]);

    let (requests, ended) = world.play(&market, &[flood]);

    assert_eq!((requests.len(), ended.reason), (1, EndReason::MaxToolCalls));
    assert_eq!(results(&ended, 1).len(), 200);
    assert_eq!(
        ended.transcript.messages[2].tool_calls,
        Some(10_000),
        "the count includes calls that were not run"
    );
}

#[test]
fn deep_arguments_are_bad_arguments() {
    let deep = format!(r#"{{"symbol":{}"#, "[".repeat(100_000));

    let answer: Value = serde_json::from_str(&refused("buy", &deep)).unwrap();

    assert!(answer["error"].as_str().unwrap().contains("recursion limit exceeded"), "{answer}");
}

#[test]
fn a_search_s_words_and_results_are_bounded() {
    let world = World::new().with(json!({"search": true}));
    let market = world.market();
    let mut session = world.open(&market);
    expect_call(&mut session);
    let query = format!(r#"{{"query":"{}"}}"#, "ä".repeat(9_000));
    session.add_response(&call_tools(&[("get_information", &query)])).unwrap();

    let search = expect_search(&mut session);
    session.add_search_result(search.index, &"x\u{0}".repeat(50_000)).unwrap();

    assert_eq!(search.query.chars().count(), 401);
    let result = session.transcript().tool_results_of(1).next().unwrap().content.clone();
    assert!(result.chars().count() == 20_001 && !result.contains('\u{0}'));
}
