//! A cancelled job costs nothing more: the running call is aborted, and no other call follows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standin::chat::{Script, ToolCall};
use test_support::eventually;

use crate::stage::{endpoint, small};

/// The longest time that counts as "at once". The machine may be busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(5);

fn request() -> Value {
    json!({ "start_date": "2025-10-02", "end_date": "2025-10-03" })
}

fn looks(steps: usize) -> Script {
    (0..steps).map(|_| vec![ToolCall::new("get_position", &json!({}))]).collect()
}

#[tokio::test]
async fn a_running_call_is_aborted_and_a_new_job_calls_again() {
    let endpoint = endpoint().await;
    let system = small(&endpoint, "concurrency = 1").start().await;
    endpoint.hold_from(0);
    let job = system.client.trigger(&request()).await;
    eventually("the endpoint is called", async || (endpoint.calls().len() == 1).then_some(())).await;

    let cancelled_at = Instant::now();
    system.client.cancel(&job).await;
    let status = system.client.ended(&job).await;

    assert!(cancelled_at.elapsed() < AT_ONCE, "it took {:?}", cancelled_at.elapsed());
    assert_eq!(status["status"], "cancelled", "{status}");
    assert_eq!(status["progress"]["skipped"], 2);
    let aborted = "a lane was stopped in the middle of a turn";
    eventually("the call is aborted", async || system.logs().contains(aborted).then_some(())).await;
    endpoint.hold_from(usize::MAX);
    // The one permitted call at a time is free at once, and the new attempt has its own journal.
    let next = system.client.trigger(&request()).await;
    let status = system.client.ended(&next).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(cancelled_at.elapsed() < AT_ONCE * 2, "the endpoint was busy: {:?}", cancelled_at.elapsed());
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
    eventually("the endpoint is called", async || (endpoint.calls().len() >= 3).then_some(())).await;

    system.client.cancel(&job).await;
    let status = system.client.ended(&job).await;
    let calls = endpoint.calls().len();

    assert_eq!(status["status"], "cancelled", "{status}");
    assert!(calls < 25, "{calls} calls");
    // Another day of the same agent: from here on, only its calls may arrive.
    let next = json!({ "start_date": "2025-10-06", "end_date": "2025-10-06" });
    let next = system.client.ended(&system.client.trigger(&next).await).await;
    assert_eq!(next["status"], "completed", "{next}");
    let later = endpoint.calls().split_off(calls);
    assert!(later.iter().all(|call| call.date == "2025-10-06"), "{later:?}");
}
