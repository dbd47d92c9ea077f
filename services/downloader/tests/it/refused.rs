//! Refusals that waiting does not end.

use standin::{AlphaVantage, Fault};

use crate::support::{FIFTEEN, World, failed, job, logged, messages, names};

const KEY: &str = "K3Y9SECRETK3Y9";

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_key_fails_the_job_names_the_setting_and_is_nowhere_to_be_read() {
    let provider = AlphaVantage::builder().bad_key(KEY);
    let mut world =
        World::start(provider, &[("ALPHAVANTAGE_API_KEY", KEY), ("DOWNLOAD_CONCURRENCY", "1")]).await;

    let events = world.prepare(&job(&FIFTEEN, "2025-10-01", "2025-10-03")).await;

    let error = "Alpha Vantage says the API key is invalid; set ALPHAVANTAGE_API_KEY to a valid key";
    assert_eq!(failed(&events).error, error);
    assert_eq!(messages(&failed(&events).warnings)[0], error);
    assert_eq!(world.called().len(), 1, "one call is enough");
    assert!(!world.everything_stored().await.contains(KEY));
    assert!(logged().contains("the API key is invalid") && !logged().contains(KEY));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_echoes_the_key_is_kept_without_it() {
    let provider = AlphaVantage::builder().key(KEY).fault("*", Fault::Quota);
    let mut world = World::start(provider, &[("ALPHAVANTAGE_API_KEY", KEY)]).await;

    let events = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(messages(&failed(&events).warnings)[0], "Rate limit reached - downloaded 0/1 symbols");
    assert!(!world.everything_stored().await.contains(KEY) && !logged().contains(KEY));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_job_fails_and_says_which_setting_is_missing() {
    let settings = [("ALPHAVANTAGE_BASE_URL", "https://www.alphavantage.co")];
    let mut world = World::start(AlphaVantage::builder(), &settings).await;

    let events = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(names(&events), ["failed"]);
    assert!(failed(&events).error.contains("set ALPHAVANTAGE_API_KEY"), "{events:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_given_up_after_five_symbols() {
    let mut world = World::start(AlphaVantage::builder().fault("*", Fault::ServerError), &[]).await;

    let events = world.prepare(&job(&FIFTEEN, "2025-10-01", "2025-10-03")).await;

    assert!(
        failed(&events).error.starts_with("Alpha Vantage cannot be reached (HTTP status 500)"),
        "{events:?}"
    );
    assert!(world.called().len() < 3 * FIFTEEN.len(), "{:?}", world.called());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_that_fails_does_not_keep_the_others_from_being_stored() {
    let provider = AlphaVantage::builder().fault("MSFT", Fault::WrongSymbol).fault("NVDA", Fault::Unknown);
    let mut world = World::start(provider, &[]).await;

    let events = world.prepare(&job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(
        failed(&events).error,
        "No trading dates available after price data preparation. No source has prices of these symbols - NVDA: \
         Alpha Vantage does not know it"
    );
    assert_eq!(messages(&failed(&events).warnings)[0], "1 symbols failed to download");
    let (stored,): (i64,) = sqlx::query_as("SELECT count(*) FROM market.bars WHERE symbol = 'AAPL'")
        .fetch_one(&world.market)
        .await
        .unwrap();
    assert!(stored > 0);
    world.stop().await;
}
