//! Cancelled jobs: no call is made for them any more, and they delay no other job.

use std::time::{Duration, Instant};

use domain::events::event::{Event, JobCancel};
use domain::simulation::model_day::SkipReason;
use domain::values::ids::JobId;
use standin::AlphaVantage;

use crate::support::{World, eventually, failed, job, names};

/// Longer than every step here that does not wait for the provider.
const SLOW: Duration = Duration::from_secs(8);

async fn cancel(world: &World, job: JobId) {
    let command = JobCancel { job, reason: "enough".to_owned() };
    let messages = runtime::outgoing::job_cancel(&command).unwrap();
    storage::trigger::cancel(&world.trigger, job, "ops", &messages).await.unwrap();
}

fn is_cancelled(events: &[Event]) -> bool {
    let failed = failed(events);
    failed.error == "The job was cancelled"
        && failed.skipped.iter().all(|skipped| skipped.reason == SkipReason::MarketClosed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_ended_while_its_call_is_in_progress_and_so_is_one_that_waits_for_a_worker() {
    let provider = AlphaVantage::builder().delay(SLOW);
    let settings = [("PREPARATIONS_AT_ONCE", "1"), ("DOWNLOAD_CONCURRENCY", "1")];
    let mut world = World::start(provider, &settings).await;
    let (first, second) =
        (job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-02"), job(&["NVDA"], "2025-11-26", "2025-11-28"));
    world.accept(&first).await;
    eventually("it is called", async || (world.called() == ["AAPL"]).then_some(())).await;
    world.accept(&second).await;
    let noted = "SELECT count(*) FROM market.preparations";
    eventually("it waits", async || (world.database.count(noted).await == 2).then_some(())).await;

    let cancelled = Instant::now();
    cancel(&world, second.id).await;
    cancel(&world, first.id).await;
    let (of_first, of_second) = (world.outcome(first.id).await, world.outcome(second.id).await);

    assert!(cancelled.elapsed() < SLOW / 2, "it took {:?}", cancelled.elapsed());
    assert!(is_cancelled(&of_first) && is_cancelled(&of_second), "{of_first:?} {of_second:?}");
    assert_eq!(names(&of_second), ["failed"]);
    assert_eq!(failed(&of_second).skipped.len(), 1, "the holiday is still named");
    let stored = "SELECT count(DISTINCT symbol) FROM market.bars";
    eventually("the response is stored", async || (world.database.count(stored).await == 1).then_some(()))
        .await;
    world.provider.set_delay(Duration::ZERO);
    let next = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-02")).await;
    assert_eq!(names(&next).last(), Some(&"ready"));
    assert_eq!(world.called(), ["AAPL", "MSFT"], "each symbol once, and none for the cancelled jobs");
    assert_eq!(world.events(first.id).await.len(), of_first.len(), "no event follows");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_the_next_window_is_ended_without_the_broker() {
    let mut world = World::start(AlphaVantage::builder().rate_limit_after(0), &[]).await;
    let mut waiting = job(&["AAPL"], "2025-10-01", "2025-10-02");
    waiting.options.wait_for_data = true;
    world.accept(&waiting).await;
    eventually("it waits", async || {
        matches!(world.events(waiting.id).await.last(), Some(Event::DataWaiting(_))).then_some(())
    })
    .await;

    // The row alone: neither the command nor the hint is sent.
    storage::trigger::cancel(&world.trigger, waiting.id, "ops", &[]).await.unwrap();
    let events = world.outcome(waiting.id).await;

    assert!(is_cancelled(&events), "{events:?}");
    world.stop().await;
}
