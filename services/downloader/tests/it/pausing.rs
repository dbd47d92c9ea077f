//! Sources and the queue of preparations that are paused: which jobs wait, and what follows when they are resumed.

use std::time::Duration;

use domain::job::pause::PauseKind;
use standin::{AlphaVantage, Feed};

use crate::sources::ListFile;
use crate::support::{FIFTEEN, World, bars, eventually, job, messages, names, ready};

async fn pause(world: &World, name: &str) {
    assert!(storage::trigger::pause(&world.trigger, PauseKind::Source, name, None, "ops").await.unwrap());
}

async fn resume(world: &World, name: &str) {
    assert!(storage::trigger::resume(&world.trigger, PauseKind::Source, name).await.unwrap());
}

/// Waits until the preparation waits for that source.
async fn until_waiting(world: &World, source: &str) {
    let waiting = format!(
        "SELECT count(*) FROM market.preparations WHERE waits_for_source = '{source}' AND lease_until IS NULL"
    );
    eventually("it waits for its source", async || (world.database.count(&waiting).await == 1).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_a_paused_source_unless_another_one_may_be_asked() {
    let tiingo = Feed::tiingo().start().await.unwrap();
    let list = ListFile::new(&[("tiingo", Some(&tiingo)), ("alpha_vantage", None)]);
    let settings = [("SOURCES_FILE", list.path())];
    let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
    let mut world = World::without_service(AlphaVantage::builder(), &settings).await;
    let mut connection = world.market.acquire().await.unwrap();
    storage::market::insert_bars(&mut connection, "tiingo", &bars("AAPL", &["2025-09-30"])).await.unwrap();
    drop(connection);
    pause(&world, "tiingo").await;
    world.start_service().await;

    let others = world.prepare(&job(&["MSFT"], "2025-10-01", "2025-10-03")).await;
    let both = job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-03");
    world.accept(&both).await;
    until_waiting(&world, "tiingo").await;
    let (called, while_paused) = (world.called(), tiingo.subjects());
    let before = world.events(both.id).await;
    resume(&world, "tiingo").await;
    let events = world.outcome(both.id).await;

    assert_eq!(ready(&others).runnable.len(), 3, "{others:?}");
    assert_eq!(called, ["MSFT", "NVDA"], "what has no bars is handed over");
    assert_eq!(while_paused, [""; 0]);
    assert_eq!(names(&before).last(), Some(&"progressed"), "{before:?}");
    assert_eq!(ready(&events).runnable.len(), 3, "{events:?}");
    assert_eq!(tiingo.subjects(), ["AAPL"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_paused_in_the_middle_of_a_download_is_called_for_the_rest_when_it_is_resumed() {
    let mut world = World::start(
        AlphaVantage::builder().delay(Duration::from_millis(300)),
        &[("DOWNLOAD_CONCURRENCY", "1"), ("ALPHAVANTAGE_API_KEY", "a-paying-key")],
    )
    .await;
    let fifteen = job(&FIFTEEN, "2025-10-01", "2025-10-03");
    world.accept(&fifteen).await;
    eventually("it is called", async || (!world.called().is_empty()).then_some(())).await;

    pause(&world, "alpha_vantage").await;
    until_waiting(&world, "alpha_vantage").await;
    let while_paused = world.called().len();
    resume(&world, "alpha_vantage").await;
    let events = world.outcome(fifteen.id).await;

    assert!((1..FIFTEEN.len()).contains(&while_paused), "{while_paused} calls");
    assert_eq!(world.called(), FIFTEEN, "each once");
    assert_eq!((ready(&events).runnable.len(), messages(&ready(&events).warnings)), (3, vec![]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_of_preparations_takes_requests_and_claims_none() {
    let mut world = World::without_service(AlphaVantage::builder(), &[]).await;
    let queue = (PauseKind::Queue, "downloader");
    assert!(storage::trigger::pause(&world.trigger, queue.0, queue.1, None, "ops").await.unwrap());
    world.start_service().await;
    let job = job(&["AAPL"], "2025-10-01", "2025-10-03");
    world.accept(&job).await;
    let stored = "SELECT count(*) FROM market.preparations";
    eventually("it is stored", async || (world.database.count(stored).await == 1).then_some(())).await;
    let claimed = world.database.count("SELECT max(epoch)::bigint FROM market.preparations").await;

    storage::trigger::resume(&world.trigger, queue.0, queue.1).await.unwrap();
    let events = world.outcome(job.id).await;

    assert_eq!(claimed, 0);
    assert_eq!(ready(&events).runnable.len(), 3);
    world.stop().await;
}
