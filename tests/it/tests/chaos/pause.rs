//! A paused worker continues after another one has taken its lane.

use it::{Service, Shape, System};
use serde_json::json;
use test_support::eventually;

#[tokio::test]
async fn a_paused_executor_that_comes_back_loses_harmlessly() {
    let mut system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models("[[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n")
        .prices(|prices| prices.generated_from("2015-01-02".parse().expect("a date")))
        .env("LANE_SLICE_MS", "100000")
        .env("LANE_PATIENCE_SECONDS", "2")
        .start()
        .await;
    let job = system.client.trigger(&json!({ "start_date": "2016-01-04", "end_date": "2025-09-30" })).await;
    system.client.until(&job, "begin", |status| status["progress"]["completed"].as_u64() > Some(10)).await;

    // It is paused while it waits to commit a day, so that this write is its first action afterwards.
    let mut lane = system.database.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM execution.lanes FOR UPDATE").execute(&mut *lane).await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND wait_event_type = 'Lock' AND query LIKE '-- commit::commit_days%'";
    eventually("a day waits for the lane", async || (system.database.count(waits).await == 1).then_some(()))
        .await;
    system.signal(Service::Executor, "STOP");
    lane.rollback().await.unwrap();
    let open = "SELECT count(*) FROM execution.lanes WHERE state = 'ready'";
    assert_eq!(system.database.count(open).await, 1, "the lane ended before the executor was paused");
    system.second(Service::Executor).await;
    let status = system.client.ended(&job).await;
    system.signal(Service::Executor, "CONT");
    let refused = system.counter(Service::Executor, "modelday_fenced_writes_total").await;

    assert_eq!(status["status"], "completed", "{status}");
    assert!(refused >= 1.0, "the paused executor's write was not refused");
    let days = "SELECT count(*) FROM execution.model_days WHERE state = 'completed'";
    let distinct = "SELECT count(DISTINCT trading_date) FROM execution.model_days WHERE state = 'completed'";
    assert_eq!(system.database.count(days).await, system.database.count(distinct).await);
}
