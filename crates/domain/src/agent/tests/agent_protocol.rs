//! The protocol of users' own agents.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::{Delivery, Dialect, EndReason, ModelResponse, RawResponse, Secrets};

fn world() -> World {
    World { dialect: Dialect::Agent, ..World::new() }
}

fn answer(body: &Value) -> ModelResponse {
    let raw = RawResponse {
        status: Some(200),
        body: body.to_string().into_bytes(),
        ..RawResponse::none(Delivery::Whole, "2025-10-02T13:30:00Z".parse().unwrap())
    };
    Dialect::Agent.classify(&raw, &Secrets::default())
}

fn check(body: &Value, expected: &str) {
    assert_eq!(answer(body).class(), expected, "{body}");
}

#[test]
fn an_agent_gets_the_facts_and_the_results_of_its_last_step() {
    let world = world();
    let market = world.market();
    let buys = json!({"tool_calls": [{"name": "buy", "arguments": {"symbol": "MSFT", "amount": 1}}]});

    let (requests, ended) = world.play(&market, &[answer(&buys), answer(&json!({"finish": true}))]);

    let (first, second) = (body(&requests[0]), body(&requests[1]));
    assert_eq!(first["protocol"], "modelday.agent/1");
    assert!(first.get("job").is_none(), "a recording could be played in its own job only");
    assert_eq!(
        first["observation"],
        json!({"cash": 1000, "holdings": {}, "previous_session": "2025-10-01",
            "previous_closes": {"AAPL": 101.5, "MSFT": 255.25}, "opens": {"AAPL": 100, "MSFT": 256.575},
            "universe": ["AAPL", "MSFT"], "benchmark": "QQQ"})
    );
    assert_eq!((&first["step"], &first["tool_results"]), (&json!(1), &json!([])));
    assert_eq!(first["tools"][3]["name"], "buy");
    assert_eq!(second["observation"]["holdings"], json!({"MSFT": 1}));
    assert_eq!(
        second["tool_results"],
        json!([{"index": 0, "name": "buy", "result": {"CASH": 743.425, "MSFT": 1}}])
    );
    assert_eq!((ended.reason, ended.steps), (EndReason::Finished, 2));
}

#[test]
fn the_cash_is_written_with_every_digit() {
    let world = World { cash: "1234567890123456.7890123", ..world() };
    let market = world.market();

    let request = expect_call(&mut world.open(&market));

    assert!(request.body.contains(r#""observation":{"cash":1234567890123456.7890123,"#), "{}", request.body);
}

#[test]
fn an_agent_s_answer_is_a_message_like_any_other() {
    let call =
        |arguments: Value| json!({"tool_calls": [{"name": "buy", "arguments": arguments}], "finish": false});

    check(&call(json!({"symbol": "AAPL"})), "tool_calls");
    check(&call(json!("{\"symbol\":\"AAPL\"}")), "tool_calls");
    check(&call(json!([1])), "bad_arguments");
    check(&json!({"finish": true, "reasoning": "nothing to do"}), "final");
    check(&json!({"reasoning": "hm"}), "final");
    check(&json!({"tool_calls": null, "finish": null}), "empty");
    check(&json!({}), "empty");
    check(&json!({"tool_calls": "buy"}), "malformed");
    check(&json!({"finish": "yes"}), "malformed");
    check(&json!({"error": {"code": "rate_limit_exceeded"}}), "throttled");
}

#[test]
fn an_agent_s_usage_is_counted() {
    let world = world();
    let market = world.market();
    let finish =
        json!({"finish": true, "usage": {"prompt_tokens": 7, "completion_tokens": 2, "cost": "0.01"}});

    let (_, ended) = world.play(&market, &[answer(&finish)]);

    assert_eq!((ended.spent.tokens(), ended.spent.cost), (9, Some(decimal("0.01"))));
}

#[test]
fn an_agent_that_does_nothing_gets_a_notice() {
    let world = world();
    let market = world.market();
    let idle = answer(&json!({"reasoning": "hm"}));

    let (requests, ended) = world.play(&market, &[idle.clone(), idle]);

    assert_eq!(body(&requests[0]).get("notice"), None);
    assert_eq!(body(&requests[1])["notice"], "Use the tools to act, or end the day with finish: true.");
    assert_eq!(ended.reason, EndReason::NoMoreToSay);
}
