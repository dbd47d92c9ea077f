//! A cancelled job pays for nothing more: a call under way is broken off, and none follows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standin::chat::{Script, ToolCall};
use test_support::eventually;

use crate::stage::{endpoint, small};

/// What a person calls at once. The machine of the tests may be busy with others.
const AT_ONCE: Duration = Duration::from_secs(5);

fn request() -> Value {
    json!({ "start_date": "2025-10-02", "end_date": "2025-10-03" })
}

fn looks(steps: usize) -> Script {
    (0..steps).map(|_| vec![ToolCall::new("get_position", &json!({}))]).collect()
}

#[tokio::test]
async fn a_call_under_way_is_broken_off_and_a_new_job_asks_anew() {
    let endpoint = endpoint().await;
    let system = small(&endpoint, "concurrency = 1").start().await;
    endpoint.hold_from(0);
    let job = system.client.trigger(&request()).await;
    eventually("it is asked", async || (endpoint.calls().len() == 1).then_some(())).await;

    let asked = Instant::now();
    system.client.cancel(&job).await;
    let status = system.client.ended(&job).await;

    assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    assert_eq!(status["status"], "cancelled", "{status}");
    assert_eq!(status["progress"]["skipped"], 2);
    let broken_off = "a lane was stopped in the middle of a turn";
    eventually("the call is broken off", async || system.logs().contains(broken_off).then_some(())).await;
    endpoint.hold_from(usize::MAX);
    // The only place at the endpoint is free at once, and the new attempt has a journal of its own.
    let next = system.client.trigger(&request()).await;
    let status = system.client.ended(&next).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(asked.elapsed() < AT_ONCE * 2, "the endpoint was taken: {:?}", asked.elapsed());
    let calls = endpoint.calls();
    assert!(calls[1..].iter().all(|call| call.identity != calls[0].identity), "{calls:?}");
    let attempts =
        "SELECT string_agg(concat_ws(' ', trading_date, attempt, ended), ', ' ORDER BY trading_date, attempt)
        FROM execution.attempts";
    let attempts = system.database.text(attempts).await;
    assert_eq!(attempts, "2025-10-02 1 cancelled, 2025-10-02 2 finished, 2025-10-03 1 finished");
}

#[tokio::test]
async fn between_two_steps_no_further_call_is_made() {
    let endpoint = endpoint().await;
    endpoint.script("a", "2025-10-02", looks(25));
    endpoint.set_delay(Duration::from_millis(200));
    let system = small(&endpoint, "").start().await;
    let job = system.client.trigger(&request()).await;
    eventually("it is asked", async || (endpoint.calls().len() >= 3).then_some(())).await;

    system.client.cancel(&job).await;
    let status = system.client.ended(&job).await;
    let calls = endpoint.calls().len();

    assert_eq!(status["status"], "cancelled", "{status}");
    assert!(calls < 25, "{calls} calls");
    // Another day of the same agent: what it asks is all that is asked from here on.
    let next = json!({ "start_date": "2025-10-06", "end_date": "2025-10-06" });
    let next = system.client.ended(&system.client.trigger(&next).await).await;
    assert_eq!(next["status"], "completed", "{next}");
    let later = endpoint.calls().split_off(calls);
    assert!(later.iter().all(|call| call.date == "2025-10-06"), "{later:?}");
}
