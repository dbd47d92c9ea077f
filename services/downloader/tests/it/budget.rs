//! Limits of the provider: what is stored, which warnings follow, and when the download goes on.

use domain::events::event::Event;
use domain::market::calendar::exchange_date;
use standin::AlphaVantage;

use crate::support::{FIFTEEN, World, bars, date, eventually, failed, job, messages, names, ready};

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_after_12_of_15_symbols_leaves_the_complete_dates() {
    let mut world = World::without_service(AlphaVantage::builder().rate_limit_after(12), &[]).await;
    let mut connection = world.market.acquire().await.unwrap();
    for symbol in &FIFTEEN[12..] {
        let known = bars(symbol, &["2025-10-01", "2025-10-02", "2025-10-03"]);
        storage::market::insert_bars(&mut connection, "test", &known).await.unwrap();
    }
    drop(connection);
    world.start_service().await;

    let events = world.prepare(&job(&FIFTEEN, "2025-10-01", "2025-10-07")).await;

    assert_eq!(names(&events), ["started", "progressed", "ready"]);
    assert_eq!(ready(&events).runnable, ["2025-10-01", "2025-10-02", "2025-10-03"].map(date));
    assert_eq!(
        messages(&ready(&events).warnings),
        [
            "Rate limit reached - downloaded 12/15 symbols",
            "Skipped 2 dates due to incomplete price data: ['2025-10-06', '2025-10-07']"
        ]
    );
    let (stored,): (i64,) =
        sqlx::query_as("SELECT count(DISTINCT symbol) FROM market.bars WHERE source <> 'test'")
            .fetch_one(&world.market)
            .await
            .unwrap();
    assert_eq!(stored, 12);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_day_makes_no_further_call_and_fails_a_job_without_prices() {
    let mut world =
        World::start(AlphaVantage::builder().rate_limit_after(0), &[("DOWNLOAD_CONCURRENCY", "1")]).await;

    let first = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-02")).await;
    let second = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-02")).await;

    assert_eq!(failed(&first).error, "No trading dates available after price data preparation");
    assert_eq!(messages(&failed(&first).warnings)[0], "Rate limit reached - downloaded 0/2 symbols");
    let missing = *messages(&failed(&second).warnings).last().unwrap();
    assert!(missing.starts_with("2 symbols still lack prices; calls are allowed again from 2"), "{missing}");
    assert!(missing.contains("wait_for_data") && missing.contains("modelday prices import"), "{missing}");
    assert_eq!(names(&second), ["failed"], "nothing is fetched, so nothing is started");
    assert_eq!(world.called().len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_data_goes_on_in_the_next_window() {
    let provider = AlphaVantage::builder().rate_limit_after(1).retry_after(2);
    let mut world = World::start(provider, &[]).await;
    let mut job = job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-02");
    job.options.wait_for_data = true;

    world.accept(&job).await;
    eventually("the job waits", async || {
        matches!(world.events(job.id).await.last(), Some(Event::DataWaiting(_))).then_some(())
    })
    .await;
    world.provider.set_rate_limit_after(None);
    let events = world.outcome(job.id).await;

    assert_eq!(ready(&events).runnable.len(), 2);
    assert_eq!(messages(&ready(&events).warnings), [""; 0]);
    let started = events.iter().filter(|event| matches!(event, Event::DownloadStarted(_))).count();
    assert_eq!(started, 1, "published once per job");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_key_is_paced_and_its_calls_left_are_shown() {
    let provider =
        AlphaVantage::builder().today(exchange_date(chrono::Utc::now())).generated().free_key("FREE");
    let settings = [("ALPHAVANTAGE_API_KEY", "FREE"), ("ALPHAVANTAGE_PLAN", "free")];
    let mut world = World::start(provider, &settings).await;
    let last = domain::market::calendar::Calendar::nyse()
        .last_final_session(chrono::Utc::now())
        .unwrap()
        .to_string();

    let events = world.prepare(&job(&["AAPL", "MSFT", "NVDA"], &last, &last)).await;

    assert_eq!(ready(&events).runnable.len(), 1);
    // On a busy machine a call may overtake the one before it; without the pace there would be many refusals.
    let calls = world.called().len();
    assert!(calls <= 4, "{calls} calls");
    let Some(Event::DownloadProgressed(progress)) = events.iter().rev().nth(1) else { panic!("{events:?}") };
    assert_eq!(progress.budget_left, Some(25 - u32::try_from(calls).unwrap()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_fast_calls_is_called_more_slowly() {
    let provider =
        AlphaVantage::builder().today(exchange_date(chrono::Utc::now())).generated().free_key("FREE");
    let mut world = World::start(provider, &[("ALPHAVANTAGE_API_KEY", "FREE")]).await;
    let last = domain::market::calendar::Calendar::nyse()
        .last_final_session(chrono::Utc::now())
        .unwrap()
        .to_string();

    let events = world.prepare(&job(&["AAPL", "MSFT", "NVDA"], &last, &last)).await;

    assert_eq!(messages(&ready(&events).warnings), [""; 0]);
    assert!(world.called().len() <= 12, "{:?}", world.called());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_key_that_does_not_reach_back_fails_the_job_with_the_way_out() {
    let provider =
        AlphaVantage::builder().today(exchange_date(chrono::Utc::now())).generated().free_key("FREE");
    let settings = [("ALPHAVANTAGE_API_KEY", "FREE"), ("ALPHAVANTAGE_PLAN", "free")];
    let mut world = World::start(provider, &settings).await;

    let events = world.prepare(&job(&["AAPL", "MSFT"], "2020-01-02", "2020-01-03")).await;

    assert!(failed(&events).error.contains("set ALPHAVANTAGE_API_KEY to a paying key"), "{events:?}");
    assert_eq!(world.called(), [""; 0], "no call is spent on it");
    world.stop().await;
}
