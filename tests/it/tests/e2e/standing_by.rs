//! Several status processes: one projects, the others stand by.

use std::time::{Duration, Instant};

use it::{Service, Shape, Stream, System, http, http_without_timeout};
use serde_json::{Value, json};
use test_support::{PATIENCE, eventually};

/// Whether the process at `url` projects, and what it stands by for.
async fn at_work(url: &str) -> Option<(bool, Value)> {
    let text = |path: &str| http().get(format!("{url}{path}")).send();
    let metrics = text("/metrics").await.ok()?.text().await.ok()?;
    let gauge = metrics.lines().find_map(|line| line.strip_prefix("modelday_projector_at_work "))?;
    let ready: Value = text("/readyz").await.ok()?.json().await.ok()?;
    (ready["status"] == "healthy").then_some(())?;
    Some((gauge.parse::<f64>().unwrap() > 0.0, ready["standing_by"].clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_projector_at_work_is_killed_another_one_goes_on_at_once_and_nothing_is_lost() {
    let mut system = System::builder(Shape::FourProcesses)
        .env("LANE_SLICE_MS", "0")
        .prices(|prices| prices.delay(Duration::from_millis(30)))
        .start()
        .await;
    let first = system.client.status_url.clone();
    let second = system.second(Service::Status).await;
    let standing_by = json!(["status: projection"]);
    eventually("the first one projects and the second one stands by", async || {
        let both = (at_work(&first).await?, at_work(&second).await?);
        (both == ((true, Value::Null), (false, standing_by.clone()))).then_some(())
    })
    .await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })).await;
    let events = format!("{second}/jobs/{job}/events");
    let mut stream = Stream::open(&http_without_timeout(), &events, None).await.unwrap();
    let mut seen: Vec<u64> = Vec::new();
    for _ in 0..3 {
        seen.push(stream.next().await.unwrap().id);
    }
    system.kill(Service::Status);
    let killed = Instant::now();
    system.client.status_url.clone_from(&second);
    eventually("the second one projects", async || {
        (at_work(&second).await? == (true, Value::Null)).then_some(())
    })
    .await;
    let taken_over = killed.elapsed();
    let status = system.client.ended(&job).await;
    let rest = async {
        while let Some(event) = stream.next().await {
            seen.push(event.id);
        }
    };
    tokio::time::timeout(PATIENCE, rest).await.expect("the stream ends with the job");

    // Less than a second on a machine that does nothing else.
    assert!(taken_over < Duration::from_secs(4), "it took {taken_over:?}");
    assert_eq!((&status["status"], &status["progress"]["completed"]), (&json!("completed"), &json!(126)));
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    let logged = i64::try_from(seen.len()).unwrap();
    assert_eq!(system.database.count("SELECT count(*) FROM status.events").await, logged);
    assert_eq!(system.database.count("SELECT count(DISTINCT (source, id)) FROM status.events").await, logged);
    let sent = "SELECT count(*) FROM (SELECT FROM trigger.outbox WHERE exchange = 'modelday.events'
        UNION ALL SELECT FROM market.outbox WHERE exchange = 'modelday.events'
        UNION ALL SELECT FROM execution.outbox WHERE exchange = 'modelday.events') sent";
    assert_eq!(system.database.count(sent).await, logged);
}
