//! A cancelled job ends within a second, whatever it is doing.

use std::time::{Duration, Instant};

use it::{Builder, Client, Shape, System};
use serde_json::{Value, json};

/// Longer than a second, since the machine may be busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(5);

const MODELS: &str = "[[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n\
    [[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";

fn small() -> Builder {
    System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).models(MODELS)
}

fn long(experiment: &str) -> Value {
    json!({ "start_date": "2016-01-04", "end_date": "2025-09-30", "experiment": experiment })
}

/// Cancels a job, asserts that it ends at once, and returns its status.
async fn cancelled(client: &Client, job: &str) -> Value {
    let start = Instant::now();
    client.cancel(job).await;
    let status = client.ended(job).await;
    assert!(start.elapsed() < AT_ONCE, "it took {:?}", start.elapsed());
    assert_eq!(status["status"], "cancelled", "{}", status["progress"]);
    let progress = &status["progress"];
    assert_eq!((&progress["pending"], &progress["running"]), (&json!(0), &json!(0)), "{progress}");
    status
}

#[tokio::test]
async fn a_job_of_policies_is_cancelled_between_two_days_and_its_days_can_be_run_again() {
    let system = small()
        .prices(|prices| prices.generated_from("2015-01-02".parse().expect("a date")))
        .env("LANE_SLICE_MS", "0")
        .env("MAX_ACTIVE_JOBS", "2")
        .start()
        .await;
    let first = system.client.trigger(&long("default")).await;
    system.client.until(&first, "run", |status| status["progress"]["completed"].as_u64() > Some(10)).await;
    let waiter = system.client.trigger(&long("default")).await;
    system.client.until(&waiter, "wait", |status| status["status"] == "running").await;

    let of_waiter = cancelled(&system.client, &waiter).await;
    let of_first = cancelled(&system.client, &first).await;

    assert_eq!(of_waiter["progress"]["completed"], 0, "it waited for the portfolios");
    let done = of_first["progress"]["completed"].as_u64().expect("a number");
    assert!(done > 10 && of_first["progress"]["skipped"].as_u64() > Some(0), "{}", of_first["progress"]);
    let (status, response) = system.client.post(&format!("/jobs/{first}/cancel")).await;
    assert_eq!((status.as_u16(), &response["status"]), (200, &json!("cancelled")), "again");
    let again = json!({ "start_date": "2016-01-04", "end_date": "2016-12-30" });
    let status = system.client.ended(&system.client.trigger(&again).await).await;
    assert_eq!(status["status"], "completed", "no limit and no lane blocks it");
    let days = "SELECT count(*) - count(DISTINCT (portfolio_id, trading_date)) FROM execution.model_days
        WHERE state = 'completed'";
    assert_eq!(system.database.count(days).await, 0, "a day was run twice");
    let gaps = "SELECT count(*) FROM (
            SELECT portfolio_id, base_date, lag(trading_date) OVER (PARTITION BY portfolio_id ORDER BY trading_date) AS before
            FROM execution.model_days WHERE state = 'completed'
        ) AS chain WHERE base_date IS DISTINCT FROM before";
    assert_eq!(system.database.count(gaps).await, 0, "a day does not continue the one before it");
}

#[tokio::test]
async fn a_job_is_cancelled_in_the_middle_of_its_download_and_no_further_call_is_made() {
    let symbols = ["AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOG", "TSLA", "AMD", "NFLX", "COST"];
    let system = System::builder(Shape::OneProcess)
        .universe(&symbols, None)
        .models(MODELS)
        .env("DOWNLOAD_CONCURRENCY", "1")
        .prices(|prices| prices.delay(Duration::from_millis(700)))
        .start()
        .await;
    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-10" })).await;
    system
        .client
        .until(&job, "download", |status| status["download"]["symbols_done"].as_u64() > Some(1))
        .await;

    let status = cancelled(&system.client, &job).await;

    let calls = system.prices.calls().len();
    assert!(calls < symbols.len(), "{calls} calls");
    assert_eq!(status["error"], Value::Null);
    assert_eq!(status["progress"]["skipped"], 16);
    let details = status["details"].as_array().expect("details");
    assert!(details.iter().all(|day| day["error"] == "Cancelled"), "{details:?}");
    let next = json!({ "start_date": "2025-10-01", "end_date": "2025-10-10" });
    let next = system.client.ended(&system.client.trigger(&next).await).await;
    assert_eq!(next["status"], "completed", "{next}");
    assert_eq!(system.prices.calls().len(), symbols.len(), "the calls in progress were stored");
}

#[tokio::test]
async fn a_job_that_waits_for_the_call_quota_is_cancelled_at_once() {
    let system = small().prices(|prices| prices.rate_limit_after(0)).start().await;
    let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "wait_for_data": true });
    let job = system.client.trigger(&request).await;
    system.client.until(&job, "wait", |status| !status["waiting_for"].is_null()).await;

    let status = cancelled(&system.client, &job).await;

    assert_eq!(status["waiting_for"], Value::Null);
    assert_eq!(status["progress"]["skipped"], 6);
}

#[tokio::test]
async fn a_job_that_has_ended_does_not_change() {
    let system = small().start().await;
    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" })).await;
    let before = system.client.ended(&job).await;

    let (status, response) = system.client.post(&format!("/jobs/{job}/cancel")).await;

    assert_eq!(status.as_u16(), 409, "{response}");
    assert!(response["detail"].as_str().is_some_and(|detail| detail.contains("completed")), "{response}");
    assert_eq!(system.client.job(&job).await, before);
    let unknown = "01890000-0000-7000-8000-000000000001";
    let (status, response) = system.client.post(&format!("/jobs/{unknown}/cancel")).await;
    assert_eq!((status.as_u16(), &response["detail"]), (404, &json!(format!("Job {unknown} not found"))));
}
