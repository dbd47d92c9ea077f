//! What is fetched, which events and warnings follow, and that it is fetched once.

use domain::events::event::Event;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use standin::{AlphaVantage, Fault};
use test_support::Counts;

use crate::support::{FIFTEEN, World, bars, date, job, messages, names, ready};

const THREE: [&str; 3] = ["AAPL", "MSFT", "NVDA"];

#[tokio::test(flavor = "multi_thread")]
async fn missing_prices_are_fetched_and_reported_and_the_second_time_nothing_is() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;

    let first = world.prepare(&job(&FIFTEEN, "2025-10-01", "2025-10-29")).await;
    let calls = world.called();
    let second = world.prepare(&job(&FIFTEEN, "2025-10-01", "2025-10-29")).await;

    assert_eq!(names(&first), ["started", "progressed", "ready"]);
    assert_eq!((ready(&first).runnable.len(), ready(&first).skipped.len()), (21, 0));
    assert_eq!(messages(&ready(&first).warnings), [""; 0]);
    let Some(Event::DownloadProgressed(last)) = first.iter().rev().nth(1) else { panic!("{first:?}") };
    assert_eq!((last.symbols_done, last.symbols_total), (15, 15));
    assert_eq!(calls, FIFTEEN);
    assert_eq!(names(&second), ["ready"]);
    assert_eq!(world.called(), calls, "no call the second time");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thanksgiving_a_weekend_and_a_half_day_are_downloaded_once() {
    let provider = AlphaVantage::builder().generated().today(date("2025-12-05"));
    let mut world = World::start(provider, &[]).await;

    let first = world.prepare(&job(&THREE, "2025-11-24", "2025-12-03")).await;
    let second = world.prepare(&job(&THREE, "2025-11-24", "2025-12-03")).await;

    let closed = SkippedDate { date: date("2025-11-27"), reason: SkipReason::MarketClosed };
    for events in [&first, &second] {
        assert_eq!(ready(events).skipped, [closed]);
        assert_eq!(ready(events).runnable.len(), 7);
    }
    assert_eq!(names(&second), ["ready"]);
    assert_eq!(world.called(), THREE);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_that_was_not_listed_yet_is_known_to_be_absent() {
    let provider = AlphaVantage::builder().generated().today(date("2025-12-05")).listed(
        "NVDA",
        date("2025-11-26"),
        date("2025-12-05"),
    );
    let mut world = World::start(provider, &[]).await;

    let first = world.prepare(&job(&THREE, "2025-11-24", "2025-12-02")).await;
    let second = world.prepare(&job(&THREE, "2025-11-24", "2025-12-02")).await;

    assert_eq!(ready(&first).runnable.len(), 6);
    assert_eq!(names(&second), ["ready"]);
    assert_eq!(world.called(), THREE);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_benchmark_blocks_nothing() {
    let mut world = World::start(AlphaVantage::builder().fault("QQQ", Fault::Unknown), &[]).await;
    let mut job = job(&THREE, "2025-10-01", "2025-10-03");
    job.universe.benchmark = Some("QQQ".parse().unwrap());

    let events = world.prepare(&job).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    assert_eq!(ready(&events).warnings[0].code, "SYMBOLS_UNAVAILABLE");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_symbol_that_has_left_the_universe_keeps_being_priced() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;
    let job = job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-03");
    let mut other = job.clone();
    other.models[0].signature = "other".to_owned();
    world.complete_holding(&job, "2025-09-29", &["INTC"]).await;
    world.complete_holding(&job, "2025-09-30", &["AAPL", "NVDA"]).await;
    world.complete_holding(&other, "2025-09-30", &["TSLA"]).await;

    let events = world.prepare(&job).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    assert_eq!(world.called(), THREE, "what is not held any more, or by others, is not fetched");
    let (first, last) = (date("2025-10-01"), date("2025-10-03"));
    let held = ["NVDA".parse().unwrap()];
    let stored = storage::market::bars_between(&world.market, &held, first, last).await.unwrap();
    assert_eq!(stored.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_symbol_that_cannot_be_priced_blocks_nothing() {
    let mut world = World::start(AlphaVantage::builder().fault("NVDA", Fault::Unknown), &[]).await;
    let job = job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-03");
    world.complete_holding(&job, "2025-09-30", &["NVDA"]).await;

    let events = world.prepare(&job).await;

    assert_eq!((ready(&events).runnable.len(), ready(&events).skipped.len()), (3, 0));
    assert_eq!(ready(&events).warnings[0].symbols, ["NVDA".parse().unwrap()]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_left_out_and_warned_of() {
    let mut world = World::start(AlphaVantage::builder().fault("AAPL", Fault::BadRows), &[]).await;

    let events = world.prepare(&job(&THREE, "2025-10-01", "2025-10-03")).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    let warning = &ready(&events).warnings[0];
    assert_eq!(warning.code, "ROWS_REJECTED");
    world.stop().await;
}

#[tokio::test]
async fn a_warning_is_counted_where_it_is_found() {
    let counts = Counts::of_this_thread();
    let provider = AlphaVantage::builder().generated().today(date("2025-12-05"));
    let mut world = World::start(provider.fault("AAPL", Fault::BadRows), &[]).await;

    world.prepare(&job(&THREE, "2025-11-26", "2025-11-28")).await;
    world.stop().await;

    assert_eq!(
        counts.of("modelday_warnings_total"),
        [
            "modelday_warnings_total{code=\"MARKET_CLOSED\"} 1",
            "modelday_warnings_total{code=\"ROWS_REJECTED\"} 1",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_at_the_third_try_is_no_failure() {
    let mut world =
        World::start(AlphaVantage::builder().fault("MSFT", Fault::Unavailable.times(2)), &[]).await;

    let events = world.prepare(&job(&THREE, "2025-10-01", "2025-10-03")).await;

    assert_eq!(messages(&ready(&events).warnings), [""; 0]);
    assert_eq!(world.called(), ["AAPL", "MSFT", "MSFT", "MSFT", "NVDA"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_dates_need_no_prices() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;
    let job = job(&THREE, "2025-10-01", "2025-10-02");
    world.complete(&job, "2025-10-01").await;
    world.complete(&job, "2025-10-02").await;

    let events = world.prepare(&job).await;

    assert_eq!(names(&events), ["ready"]);
    assert_eq!((ready(&events).runnable.len(), ready(&events).skipped.len()), (0, 0));
    assert_eq!(world.called(), [""; 0]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_models_are_up_to_date_needs_no_prices() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;
    let mut job = job(&THREE, "2025-10-02", "2025-10-02");
    job.models[0].start = date("2025-10-03");

    let events = world.prepare(&job).await;

    assert_eq!(names(&events), ["ready"]);
    assert_eq!((ready(&events).runnable.len(), ready(&events).skipped.len()), (0, 0));
    assert_eq!(world.called(), [""; 0]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_from_the_past_proves_nothing_about_later_sessions() {
    let provider = AlphaVantage::builder().generated().today(date("2025-10-30"));
    let mut world = World::start(provider, &[]).await;

    let first = world.prepare(&job(&THREE, "2025-10-29", "2025-11-03")).await;
    world.provider.set_today(date("2025-11-04"));
    let second = world.prepare(&job(&THREE, "2025-10-29", "2025-11-03")).await;

    assert_eq!(ready(&first).runnable, ["2025-10-29", "2025-10-30"].map(date));
    assert_eq!(ready(&second).runnable.len(), 4);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_bar_stays_as_it_is_and_the_difference_is_warned_of() {
    let mut world = World::without_service(AlphaVantage::builder(), &[]).await;
    let mut connection = world.market.acquire().await.unwrap();
    let known = bars("AAPL", &["2025-10-01"]);
    storage::market::insert_bars(&mut connection, "test", &known).await.unwrap();
    drop(connection);
    world.start_service().await;

    let events = world.prepare(&job(&THREE, "2025-10-01", "2025-10-02")).await;

    let warning = &ready(&events).warnings[0];
    assert_eq!(
        (warning.code.as_str(), warning.count, warning.symbols[0].as_str()),
        ("PRICE_REVISED", 1, "AAPL")
    );
    let (first, last) = (date("2025-10-01"), date("2025-10-01"));
    let kept =
        storage::market::bars_between(&world.market, &["AAPL".parse().unwrap()], first, last).await.unwrap();
    assert_eq!(kept, known);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bars_are_read_once_however_often_their_symbol_is_named() {
    let mut world = World::without_service(AlphaVantage::builder(), &[]).await;
    let mut connection = world.market.acquire().await.unwrap();
    let days = ["2025-10-01", "2025-10-02", "2025-10-03"];
    for symbol in ["AAPL", "MSFT"] {
        storage::market::insert_bars(&mut connection, "test", &bars(symbol, &days)).await.unwrap();
    }
    drop(connection);

    let symbols = ["MSFT", "NVDA", "MSFT"].map(|symbol| symbol.parse().unwrap());
    let (first, last) = (date("2025-10-02"), date("2025-10-03"));
    let mut found = storage::market::bars_between(&world.market, &symbols, first, last).await.unwrap();

    found.sort_unstable_by_key(|row| row.date);
    assert_eq!(found, bars("MSFT", &days[1..]));
    world.stop().await;
}
