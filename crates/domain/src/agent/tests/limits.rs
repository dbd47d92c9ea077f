//! Where a day ends at the latest.

use serde_json::{Value, json};

use super::fixture::*;
use crate::accounting::market_day::MarketDay;
use crate::agent::{EndReason, EndedSession, ModelResponse};

fn play<'a>(
    world: &'a World,
    market: &'a MarketDay<'a>,
    answer: &ModelResponse,
    times: usize,
) -> (usize, EndedSession<'a>) {
    let (requests, ended) = world.play(market, &vec![answer.clone(); times]);
    (requests.len(), ended)
}

fn limited(limits: Value) -> World {
    World::new().with(json!({"limits": limits, "prices": {"input": "1", "output": "10"}}))
}

fn look() -> ModelResponse {
    call_tools(&[("get_position", "{}")])
}

#[test]
fn a_model_is_asked_thirty_times() {
    let world = World::new();
    let market = world.market();

    let (requests, ended) = play(&world, &market, &look(), 40);

    assert_eq!((requests, ended.reason, ended.steps), (30, EndReason::MaxSteps, 30));
}

#[test]
fn calls_beyond_the_limit_are_not_run() {
    let world = limited(json!({"max_tool_calls": 3}));
    let market = world.market();
    let two =
        call_tools(&[("buy", r#"{"symbol":"AAPL","amount":1}"#), ("buy", r#"{"symbol":"AAPL","amount":1}"#)]);

    let (requests, ended) = play(&world, &market, &two, 9);

    assert_eq!((requests, ended.reason), (2, EndReason::MaxToolCalls));
    assert_eq!(ended.transcript.messages.last().unwrap().content, r#"{"CASH":700,"AAPL":3}"#);
    assert_eq!(ended.transcript.messages[5].tool_calls, Some(2));
}

#[test]
fn the_last_call_of_the_limit_leaves_no_room_for_a_request() {
    let world = limited(json!({"max_tool_calls": 2}));
    let market = world.market();

    let (requests, ended) = play(&world, &market, &look(), 9);

    assert_eq!((requests, ended.reason), (2, EndReason::MaxToolCalls));
}

#[test]
fn tokens_are_limited() {
    let world = limited(json!({"max_tokens": 30}));
    let market = world.market();

    let (requests, ended) = play(&world, &market, &using(look(), 10, 5), 9);

    assert_eq!((requests, ended.reason, ended.spent.tokens()), (2, EndReason::MaxTokens, 30));
}

#[test]
fn cost_is_limited_and_exact() {
    let world = limited(json!({"max_cost": "0.00012"}));
    let market = world.market();

    let (requests, ended) = play(&world, &market, &using(look(), 10, 5), 9);

    assert_eq!((requests, ended.reason), (2, EndReason::MaxCost));
    assert_eq!(ended.spent.cost, Some(decimal("0.00012")));
}

#[test]
fn a_model_that_tells_no_usage_is_held_to_the_most_it_can_have_used() {
    for limits in [json!({"max_tokens": 3_000}), json!({"max_cost": "0.003"})] {
        let world = limited(limits.clone());
        let market = world.market();

        let (requests, ended) = play(&world, &market, &look(), 40);

        assert!(requests < 5, "{limits}: {requests}");
        let known = (ended.spent.unknown_calls, ended.spent.cost, ended.spent.tokens());
        assert_eq!(known, (requests as u64, None, 0), "an unknown amount is no number");
    }
}

#[test]
fn a_lost_call_counts_as_unknown() {
    let world = World::new();
    let market = world.market();
    let mut session = world.open(&market);
    expect_call(&mut session);

    session.count_lost_call();
    session.add_response(&using(done(), 10, 5)).unwrap();

    let spent = session.finish().spent;
    assert_eq!((spent.calls, spent.unknown_calls, spent.tokens()), (2, 1, 15));
}
