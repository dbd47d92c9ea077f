//! A day continues where it was interrupted, and pays for no recorded response twice.

use std::collections::BTreeMap;

use it::{Service, System};
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, Script, ToolCall};
use test_support::eventually;

use crate::bundle::replays_as_recorded;
use crate::stage::{endpoint, small};

/// Twelve tool calls in seven steps.
fn busy_day() -> Script {
    let buy =
        |symbol: &str, amount: u32| ToolCall::new("buy", &json!({ "symbol": symbol, "amount": amount }));
    let look = || ToolCall::new("get_position", &json!({}));
    let price =
        |symbol: &str| ToolCall::new("get_price_local", &json!({ "symbol": symbol, "date": "2025-10-01" }));
    vec![
        vec![look(), price("AAPL"), price("MSFT")],
        vec![buy("AAPL", 3)],
        vec![buy("MSFT", 2), look()],
        vec![
            ToolCall::new("add", &json!({ "a": 1, "b": 2 })),
            ToolCall::new("multiply", &json!({ "a": 3, "b": 2 })),
        ],
        vec![ToolCall::new("sell", &json!({ "symbol": "AAPL", "amount": 1 }))],
        vec![ToolCall::new("get_price_history", &json!({ "symbol": "AAPL", "days": 5 })), buy("AAPL", 1)],
        vec![look()],
    ]
}

fn request() -> Value {
    json!({ "start_date": "2025-10-02", "end_date": "2025-10-02" })
}

/// All rows of a day, without times and ids.
async fn outcome(system: &System) -> String {
    let query = "SELECT concat_ws(E'\\n',
        (SELECT string_agg(concat_ws(' ', sequence, side, symbol, quantity, price, cash_after), ';' ORDER BY sequence)
         FROM execution.fills),
        (SELECT concat_ws(' ', cash, holdings, value_at_open, value_at_close) FROM execution.model_days
         WHERE state = 'completed'),
        (SELECT (body -> 'turns')::text FROM execution.transcripts),
        (SELECT string_agg(concat_ws(' ', step, index, kind, hash, response), E'\\n' ORDER BY step, index)
         FROM execution.journal))";
    system.database.text(query).await
}

async fn undisturbed() -> (String, usize) {
    let endpoint = scripted().await;
    let system = small(&endpoint, "").start().await;
    let job = system.client.trigger(&request()).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    (outcome(&system).await, endpoint.calls().len())
}

async fn scripted() -> ChatEndpoint {
    let endpoint = endpoint().await;
    endpoint.script("a", "2025-10-02", busy_day());
    endpoint
}

#[tokio::test]
async fn a_day_killed_at_every_step_ends_as_if_undisturbed_and_repeats_no_call_that_has_a_response() {
    let (expected, steps) = undisturbed().await;
    assert_eq!(steps, 8, "seven steps with tools and the end");
    let endpoint = scripted().await;
    let mut system = small(&endpoint, "").start().await;
    endpoint.hold_from(0);
    let job = system.client.trigger(&request()).await;

    // In each step the executor is killed before the response, sends the call again, and then gets the response.
    for step in 0..steps {
        let calls = step * 2 + 1;
        until_called(&endpoint, calls).await;
        system.kill(Service::Executor);
        system.restart(Service::Executor).await;
        until_called(&endpoint, calls + 1).await;
        endpoint.hold_from(calls + 1);
    }
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(outcome(&system).await, expected, "the disturbed day differs");
    let mut copies: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for call in endpoint.calls() {
        *copies.entry((call.step, call.identity)).or_default() += 1;
    }
    assert_eq!(copies.len(), steps, "one identity a step: {copies:?}");
    assert!(copies.values().all(|count| *count == 2), "{copies:?}");
    let twice = "SELECT (body::jsonb #>> '{agent,usage,possibly_paid_twice}')::bigint FROM execution.outbox
        WHERE kind = 'modelday.model_day.completed.v1'";
    assert_eq!(system.database.count(twice).await, 8, "every call may have been paid twice");
    replays_as_recorded(&system, &job).await;
}

#[tokio::test]
async fn a_call_whose_response_is_journalled_is_never_sent_again() {
    let endpoint = scripted().await;
    let mut system = small(&endpoint, "").start().await;
    endpoint.hold_from(4);
    let job = system.client.trigger(&request()).await;
    until_called(&endpoint, 5).await;

    for _ in 0..3 {
        system.kill(Service::Executor);
        system.restart(Service::Executor).await;
    }
    endpoint.hold_from(usize::MAX);
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    let steps: Vec<usize> = endpoint.calls().iter().map(|call| call.step).collect();
    assert_eq!(steps[..4], [0, 1, 2, 3]);
    assert!(steps[4..].iter().all(|step| *step >= 4), "{steps:?}");
}

async fn until_called(endpoint: &ChatEndpoint, calls: usize) {
    eventually(&format!("{calls} calls"), async || (endpoint.calls().len() >= calls).then_some(())).await;
}
