//! Endpoints that fail: a call is retried only when a retry may succeed.

use std::time::Duration;

use it::Service;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standin::chat::Fault;

use crate::stage::{endpoint, models, small};

fn request() -> Value {
    json!({ "start_date": "2025-10-02", "end_date": "2025-10-02" })
}

fn refusal(status: u16, code: &str, message: &str) -> Fault {
    let body = json!({ "error": { "message": message, "type": code, "param": null, "code": code } });
    Fault::Response(status, Vec::new(), body.to_string())
}

#[tokio::test]
async fn a_throttled_call_is_sent_again_after_its_retry_after() {
    let endpoint = endpoint().await;
    let body = json!({ "error": { "message": "slow", "type": "tokens", "code": "rate_limit_exceeded" } });
    endpoint
        .fault("a", Fault::Response(429, vec![("retry-after".to_owned(), "1".to_owned())], body.to_string()));
    let system = small(&endpoint, "").start().await;

    let job = system.client.trigger(&request()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    let calls = endpoint.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].identity, calls[1].identity);
    let twice = "SELECT count(*) FROM execution.outbox WHERE body LIKE '%possibly_paid_twice%'";
    assert_eq!(system.database.count(twice).await, 0, "a refusal costs nothing");
}

#[tokio::test]
async fn a_refused_key_fails_the_day_at_once_and_is_never_shown() {
    let endpoint = endpoint().await;
    endpoint.require_key("another");
    let system = small(&endpoint, "api_key_env = \"TEST_AGENT_KEY\"")
        .env("TEST_AGENT_KEY", "sk-wrong-key-12345")
        .start()
        .await;

    let job = system.client.trigger(&request()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "failed", "{status}");
    assert_eq!(endpoint.calls().len(), 1, "a refused key is not tried again");
    let error = status["details"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("bad_credentials"), "{status}");
    assert!(!format!("{status}{}", system.logs()).contains("sk-wrong-key-12345"), "the key is shown");
}

#[tokio::test]
async fn a_model_without_its_key_says_which_variable_to_set_and_runs_when_it_is_set() {
    let endpoint = endpoint().await;
    let mut system = small(&endpoint, "api_key_env = \"THIS_IS_NOT_SET\"").start().await;

    let (refused, body) = system.client.post_trigger(&request()).await;
    system.kill(Service::Executor);
    system.set_env("THIS_IS_NOT_SET", "sk-now-it-is");
    system.restart(Service::Executor).await;
    let job = system.client.trigger(&request()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("a is not ready: the executor has no THIS_IS_NOT_SET"), "{body}");
    assert_eq!(status["status"], "completed", "{status}");
    assert!(!endpoint.calls().is_empty());
}

#[tokio::test]
async fn an_endpoint_without_quota_is_not_called_again() {
    let endpoint = endpoint().await;
    endpoint.fault("a", refusal(429, "insufficient_quota", "You exceeded your current quota"));
    let system = small(&endpoint, "").start().await;

    let job = system.client.trigger(&request()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "failed", "{status}");
    assert_eq!(endpoint.calls().len(), 1);
}

#[tokio::test]
async fn a_stuck_endpoint_does_not_stall_other_models() {
    let (stuck, good) = (endpoint().await, endpoint().await);
    stuck.hold_from(0);
    let text = models(&stuck.base_url(), &["s1", "s2", "s3"], "concurrency = 1")
        + &models(&good.base_url(), &["g"], "")
        + "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";
    let system = it::System::builder(it::Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(&text)
        .env("AGENTS_AT_ONCE", "2")
        .start()
        .await;

    let all = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" });
    let job = system.client.trigger(&all).await;
    let others = |status: &Value| {
        let done = status["details"].as_array().into_iter().flatten();
        done.filter(|day| ["g", "cash"].contains(&day["model"].as_str().unwrap_or_default()))
            .filter(|day| day["status"] == "completed")
            .count()
            == 6
    };
    let status = system.client.until(&job, "complete the days of the others", others).await;
    assert_eq!(status["status"], "running");
    assert_eq!(stuck.calls().len(), 1, "one at a time");

    stuck.hold_from(usize::MAX);
    assert_eq!(system.client.ended(&job).await["status"], "completed");
}

#[tokio::test]
async fn a_call_that_hangs_is_given_up_and_counted_as_unknown() {
    let endpoint = endpoint().await;
    endpoint.fault("a", Fault::Hang);
    let system = small(&endpoint, "timeout_seconds = 1").start().await;

    let job = system.client.trigger(&request()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(endpoint.calls().len(), 2);
    let unknown = "SELECT count(*) FROM execution.outbox
        WHERE body::jsonb #>> '{agent,usage,unknown_calls}' = '1'
            AND body::jsonb #>> '{agent,usage,possibly_paid_twice}' = '1'";
    assert_eq!(system.database.count(unknown).await, 1);
    assert!(
        Duration::from_secs(60) > Duration::from_secs_f64(status["total_duration_seconds"].as_f64().unwrap())
    );
}
