//! Several preparations and several replicas at the same time; workers that died.

use std::time::Duration;

use domain::events::event::Event;
use standin::{AlphaVantage, Fault};

use crate::support::{FIFTEEN, World, bars, eventually, job, names, ready};

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_on_two_replicas_fetch_every_symbol_once() {
    let provider = AlphaVantage::builder().delay(Duration::from_millis(50));
    let mut world = World::start(provider, &[]).await;
    world.start_service().await;
    let jobs = [job(&FIFTEEN, "2025-10-01", "2025-10-10"), job(&FIFTEEN, "2025-10-06", "2025-10-17")];

    for job in &jobs {
        world.accept(job).await;
    }

    assert_eq!(ready(&world.outcome(jobs[0].id).await).runnable.len(), 8);
    assert_eq!(ready(&world.outcome(jobs[1].id).await).runnable.len(), 10);
    assert_eq!(world.called(), FIFTEEN);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_whose_holder_died_is_taken_over() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;
    let dead = uuid::Uuid::now_v7();
    assert!(storage::market::take_download(&world.market, "AAPL", "alpha_vantage", dead, 1.0).await.unwrap());

    let events = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    assert_eq!(world.called(), ["AAPL", "MSFT"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_stopped_hands_its_work_back_and_keeps_what_it_has() {
    let provider = AlphaVantage::builder().delay(Duration::from_millis(200));
    let mut world = World::start(provider, &[("DOWNLOAD_CONCURRENCY", "1")]).await;
    let job = job(&FIFTEEN, "2025-10-01", "2025-10-03");
    world.accept(&job).await;
    while world.called().len() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    world.stop().await;
    world.provider.set_delay(Duration::ZERO);
    world.start_service().await;
    let events = world.outcome(job.id).await;

    assert_eq!(names(&events)[..2], ["started", "progressed"]);
    assert_eq!(ready(&events).runnable.len(), 3);
    assert_eq!(world.called(), FIFTEEN, "nothing is fetched again");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_is_over_stops_and_the_job_is_prepared_once() {
    let provider = AlphaVantage::builder().delay(Duration::from_millis(1_500));
    let mut world = World::start(provider, &[]).await;
    let job = job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-03");
    world.accept(&job).await;
    eventually("a call is made", async || (!world.called().is_empty()).then_some(())).await;

    sqlx::query("UPDATE market.preparations SET epoch = epoch + 1, lease_until = now() + interval '2 s'")
        .execute(&world.market)
        .await
        .unwrap();
    let events = world.outcome(job.id).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    let all = world.events(job.id).await;
    assert_eq!(all.iter().filter(|event| matches!(event, Event::DataReady(_))).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|event| matches!(event, Event::DownloadStarted(_))).count(), 1, "{all:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fenced_worker_found_is_reported_by_the_worker_that_ends_the_preparation() {
    let provider = AlphaVantage::builder().delay(Duration::from_millis(1_500)).fault("AAPL", Fault::BadRows);
    let mut world = World::without_service(provider, &[("DOWNLOAD_CONCURRENCY", "1")]).await;
    let mut connection = world.market.acquire().await.unwrap();
    let other = bars("MSFT", &["2025-10-01"]);
    storage::market::insert_bars(&mut connection, "test", &other).await.unwrap();
    drop(connection);
    world.start_service().await;
    let job = job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-02");
    world.accept(&job).await;
    eventually("the first response is stored", async || {
        let stored = "SELECT count(*) FROM market.bars WHERE source <> 'test'";
        let (stored,): (i64,) = sqlx::query_as(stored).fetch_one(&world.market).await.unwrap();
        (stored > 0).then_some(())
    })
    .await;

    sqlx::query("UPDATE market.preparations SET epoch = epoch + 1, lease_until = now() + interval '2 s'")
        .execute(&world.market)
        .await
        .unwrap();
    let events = world.outcome(job.id).await;

    assert_eq!(world.called(), ["AAPL", "MSFT"]);
    let warnings = ready(&events).warnings.iter();
    let found: Vec<_> = warnings.map(|one| (one.code.as_str(), one.symbols[0].as_str())).collect();
    assert_eq!(found, [("PRICE_REVISED", "MSFT"), ("ROWS_REJECTED", "AAPL")]);
    world.stop().await;
}
