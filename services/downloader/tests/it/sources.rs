//! Several sources: which one is asked for what, and what one hands over to the next.

use std::path::PathBuf;

use chrono::TimeDelta;
use standin::{AlphaVantage, Fault, Feed};

use crate::support::{World, bars, date, failed, job, messages, names, ready};

/// A list of sources; removed when dropped.
pub(crate) struct ListFile(PathBuf);

impl ListFile {
    /// The sources of these kinds, in this order, at these addresses; Alpha Vantage is where the settings say.
    pub(crate) fn new(sources: &[(&str, Option<&Feed>)]) -> Self {
        Self::with("", sources)
    }

    /// The same with a line before them.
    fn with(line: &str, sources: &[(&str, Option<&Feed>)]) -> Self {
        let entry = |(kind, feed): &(&str, Option<&Feed>)| {
            let address =
                feed.map(|feed| format!("base_url = \"{}\"\n", feed.base_url())).unwrap_or_default();
            format!("[[sources]]\nkind = \"{kind}\"\n{address}\n")
        };
        let entries: String = sources.iter().map(entry).collect();
        Self::of(&format!("{line}\n{entries}"))
    }

    fn of(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("modelday-sources-{}.toml", uuid::Uuid::now_v7()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> String {
        self.0.display().to_string()
    }

    async fn world(&self, provider: standin::Builder, settings: &[(&str, &str)]) -> World {
        let path = self.path();
        let settings: Vec<_> = settings.iter().copied().chain([("SOURCES_FILE", path.as_str())]).collect();
        World::start(provider, &settings).await
    }
}

impl Drop for ListFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Which source each symbol's bars are from.
async fn homes(world: &World) -> Vec<(String, String)> {
    sqlx::query_as("SELECT DISTINCT symbol, source FROM market.bars ORDER BY symbol, source")
        .fetch_all(&world.market)
        .await
        .unwrap()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(symbol, source)| ((*symbol).to_owned(), (*source).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_exhausted_source_cannot_give_the_next_one_gives_and_keeps() {
    let tiingo = Feed::tiingo().start().await.unwrap();
    let list = ListFile::new(&[("alpha_vantage", None), ("tiingo", Some(&tiingo))]);
    let mut world =
        list.world(AlphaVantage::builder().rate_limit_after(1), &[("DOWNLOAD_CONCURRENCY", "1")]).await;

    let first = world.prepare(&job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-03")).await;

    assert_eq!((ready(&first).runnable.len(), messages(&ready(&first).warnings)), (3, vec![]));
    assert_eq!(names(&first), ["started", "progressed", "ready"]);
    assert_eq!(
        homes(&world).await,
        pairs(&[("AAPL", "alpha_vantage"), ("MSFT", "tiingo"), ("NVDA", "tiingo")])
    );
    assert_eq!(tiingo.subjects(), ["MSFT", "NVDA"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_with_stored_bars_stays_with_their_source() {
    let tiingo = Feed::tiingo().start().await.unwrap();
    let list = ListFile::new(&[("alpha_vantage", None), ("tiingo", Some(&tiingo))]);
    let mut world = list.world(AlphaVantage::builder(), &[]).await;
    let mut connection = world.market.acquire().await.unwrap();
    for (symbol, source) in [("AAPL", "tiingo"), ("MSFT", "alpha_vantage"), ("NVDA", "import")] {
        storage::market::insert_bars(&mut connection, source, &bars(symbol, &["2025-09-30"])).await.unwrap();
    }
    drop(connection);

    let events = world.prepare(&job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    assert_eq!(
        (world.called(), tiingo.subjects()),
        (vec!["MSFT".to_owned(), "NVDA".to_owned()], vec!["AAPL".to_owned()])
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_is_asked_for_a_symbol_with_stored_bars_is_handed_over_too() {
    let tiingo = Feed::tiingo().start().await.unwrap();
    let both = [("alpha_vantage", None), ("tiingo", Some(&tiingo))];
    let list = ListFile::with("hand_over = \"all_symbols\"", &both);
    let mut world = list.world(AlphaVantage::builder().rate_limit_after(0), &[]).await;
    let mut connection = world.market.acquire().await.unwrap();
    let stored = bars("AAPL", &["2025-09-30"]);
    storage::market::insert_bars(&mut connection, "alpha_vantage", &stored).await.unwrap();
    drop(connection);

    let events = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-03")).await;

    assert_eq!((ready(&events).runnable.len(), tiingo.subjects()), (3, vec!["AAPL".to_owned()]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_is_absent_only_when_no_source_knows_it() {
    let tiingo = Feed::tiingo().unknown("ZZZZ").unknown("YYYY").start().await.unwrap();
    let list = ListFile::new(&[("tiingo", Some(&tiingo)), ("alpha_vantage", None)]);
    let provider = AlphaVantage::builder().generated().fault("ZZZZ", Fault::Unknown);
    let mut world = list.world(provider, &[]).await;
    let job_of = || job(&["AAPL", "MSFT", "YYYY", "ZZZZ"], "2025-10-01", "2025-10-03");

    let events = world.prepare(&job_of()).await;
    let calls = (tiingo.subjects().len(), world.called().len());
    let second = world.prepare(&job_of()).await;

    assert_eq!((ready(&events).runnable.len(), ready(&events).warnings.len()), (3, 1), "{events:?}");
    let warning = &ready(&events).warnings[0];
    assert_eq!(warning.symbols, ["ZZZZ".parse().unwrap()]);
    assert!(
        warning.message.contains("Tiingo does not know it, Alpha Vantage does not know it"),
        "{}",
        warning.message
    );
    assert_eq!(calls, (4, 4), "YYYY once and ZZZZ three times");
    assert_eq!(ready(&second).warnings, ready(&events).warnings);
    assert_eq!((tiingo.subjects().len(), world.called().len()), calls);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_brings_all_symbols_of_a_date() {
    let massive = Feed::massive().unknown("MSFT").start().await.unwrap();
    let list = ListFile::new(&[("massive", Some(&massive))]);
    let mut world = list.world(AlphaVantage::builder(), &[]).await;
    let job_of = || job(&["AAPL", "MSFT", "NVDA", "TSLA"], "2025-10-01", "2025-10-02");

    let events = world.prepare(&job_of()).await;
    let second = world.prepare(&job_of()).await;

    assert_eq!((ready(&events).runnable.len(), ready(&events).warnings.len()), (2, 1), "{events:?}");
    assert_eq!(ready(&events).warnings[0].symbols, ["MSFT".parse().unwrap()]);
    let mut asked = massive.subjects();
    asked.sort();
    assert_eq!(asked, ["2025-10-01", "2025-10-02"]);
    assert_eq!(names(&second), ["ready"]);
    assert_eq!(homes(&world).await, pairs(&[("AAPL", "massive"), ("NVDA", "massive"), ("TSLA", "massive")]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_one_symbol_on_many_dates_one_call_is_enough() {
    let massive = Feed::massive().start().await.unwrap();
    let list = ListFile::new(&[("massive", Some(&massive))]);
    let mut world = list.world(AlphaVantage::builder(), &[]).await;

    let events = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-29")).await;

    assert_eq!((ready(&events).runnable.len(), massive.subjects()), (21, vec!["AAPL".to_owned()]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_out_of_reach_of_a_plan_are_left_to_the_next_source() {
    let massive = Feed::massive().reaches_back_to(date("2025-10-02")).start().await.unwrap();
    let list = ListFile::new(&[("massive", Some(&massive)), ("alpha_vantage", None)]);
    let mut world = list.world(AlphaVantage::builder(), &[("DOWNLOAD_CONCURRENCY", "1")]).await;

    let events = world.prepare(&job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-02")).await;

    assert_eq!(ready(&events).runnable, [date("2025-10-02")], "the symbols now are Massive's");
    assert!(
        messages(&ready(&events).warnings)[0].contains("Massive key's plan has no prices before 2025-10-02"),
        "{events:?}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn splits_and_dividends_are_stored_with_the_bars_and_imported_ones_stay() {
    let day = date("2025-10-02");
    let tiingo =
        Feed::tiingo().split("AAPL", day, "10.0").dividend("AAPL", day, "0.26").dividend("MSFT", day, "0.83");
    let tiingo = tiingo.start().await.unwrap();
    let list = ListFile::new(&[("tiingo", Some(&tiingo))]);
    let mut world = list.world(AlphaVantage::builder(), &[]).await;
    let imported = "INSERT INTO market.corporate_actions (symbol, trading_date, kind, version, per_share)
                    VALUES ('MSFT', '2025-10-02', 'dividend', 1, 0.91)";
    sqlx::query(imported).execute(&world.market).await.unwrap();

    let events = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(ready(&events).runnable.len(), 3);
    let query = "SELECT symbol, kind, concat(to_shares, ':', from_shares, ' ', per_share::text)
                 FROM market.corporate_actions ORDER BY symbol, kind, version";
    let stored: Vec<(String, String, String)> = sqlx::query_as(query).fetch_all(&world.market).await.unwrap();
    let stored: Vec<String> =
        stored.into_iter().map(|(symbol, kind, what)| format!("{symbol} {kind} {what}")).collect();
    assert_eq!(stored, ["AAPL dividend : 0.26", "AAPL split 10:1 ", "MSFT dividend : 0.91"]);
    world.stop().await;
}

async fn stored_actions(world: &World) -> Vec<String> {
    let query =
        "SELECT concat_ws(' ', symbol, trading_date, kind, to_shares || ':' || from_shares, per_share::text)
                 FROM market.corporate_actions ORDER BY symbol, trading_date, kind";
    let stored: Vec<(String,)> = sqlx::query_as(query).fetch_all(&world.market).await.unwrap();
    stored.into_iter().map(|(action,)| action).collect()
}

/// A Massive whose splits and dividends are requested, and its list.
async fn massive_with_actions() -> (Feed, ListFile) {
    let (first, second) = (date("2025-10-01"), date("2025-10-02"));
    let massive = Feed::massive()
        .split("AAPL", second, "10")
        .split("NVDA", first, "1:8")
        .dividend("AAPL", second, "0.26+1.5")
        .dividend("MSFT", first, "0.83")
        .dividend("TSLA", second, "0.3 CAD")
        .dividend("ZZZ", second, "7")
        .dividend("MSFT", date("2025-11-20"), "0.91");
    let massive = massive.start().await.unwrap();
    let list = ListFile::of(&format!(
        "[[sources]]\nkind = \"massive\"\nactions = true\nbase_url = \"{}\"\n",
        massive.base_url()
    ));
    (massive, list)
}

#[tokio::test(flavor = "multi_thread")]
async fn splits_and_dividends_of_all_symbols_of_a_date_come_in_two_more_calls() {
    let (massive, list) = massive_with_actions().await;
    let mut world = list.world(AlphaVantage::builder(), &[]).await;

    let events = world.prepare(&job(&["AAPL", "MSFT", "NVDA", "TSLA"], "2025-10-01", "2025-10-02")).await;

    assert_eq!(ready(&events).runnable.len(), 2, "{events:?}");
    assert_eq!(massive.subjects().len(), 6);
    let expected = [
        "AAPL 2025-10-02 dividend 1.76",
        "AAPL 2025-10-02 split 10:1",
        "MSFT 2025-10-01 dividend 0.83",
        "NVDA 2025-10-01 split 1:8",
    ];
    assert_eq!(stored_actions(&world).await, expected, "no other symbol, no other currency, nothing to come");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn splits_and_dividends_of_a_symbol_come_with_its_prices_or_the_prices_do_not_either() {
    let (massive, list) = massive_with_actions().await;
    massive.set_fault("splits AAPL", Some(Fault::Truncated.into()));
    let mut world = list.world(AlphaVantage::builder(), &[]).await;

    let failed = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-29")).await;
    let nothing = stored_actions(&world).await;
    massive.set_fault("splits AAPL", None);
    let events = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-29")).await;

    assert!(!names(&failed).contains(&"ready") && nothing.is_empty(), "{failed:?} {nothing:?}");
    assert_eq!(ready(&events).runnable.len(), 21, "{events:?}");
    let expected = ["AAPL 2025-10-02 dividend 1.76", "AAPL 2025-10-02 split 10:1"];
    assert_eq!(stored_actions(&world).await, expected);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_a_rename_runs_when_a_source_lists_all_bars_under_the_new_symbol() {
    let tiingo = Feed::tiingo().unknown("WAS").start().await.unwrap();
    let list = ListFile::new(&[("tiingo", Some(&tiingo))]);
    let mut world = list.world(AlphaVantage::builder(), &[]).await;
    let imported = "INSERT INTO market.corporate_actions (symbol, trading_date, kind, version, new_symbol)
                    VALUES ('WAS', '2025-10-15', 'rename', 1, 'AAPL')";
    sqlx::query(imported).execute(&world.market).await.unwrap();

    let events = world.prepare(&job(&["WAS", "MSFT"], "2025-10-01", "2025-10-29")).await;

    let ready = ready(&events);
    assert_eq!(ready.runnable.len(), 21, "{events:?}");
    let symbols: Vec<&str> = ready.job.universe.symbols.iter().map(|symbol| symbol.as_str()).collect();
    assert_eq!(symbols, ["WAS", "MSFT", "AAPL"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hour_of_a_key_is_used_up_and_begins_again() {
    let tiingo = Feed::tiingo().limit(1, TimeDelta::hours(1)).start().await.unwrap();
    let list = ListFile::new(&[("tiingo", Some(&tiingo))]);
    let mut world = list.world(AlphaVantage::builder(), &[("DOWNLOAD_CONCURRENCY", "1")]).await;
    let job_of = || job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-02");

    let first = world.prepare(&job_of()).await;
    tiingo.advance(TimeDelta::hours(1));
    sqlx::query("DELETE FROM market.call_quotas").execute(&world.market).await.unwrap();
    let second = world.prepare(&job_of()).await;

    assert_eq!(messages(&failed(&first).warnings)[0], "Rate limit reached - downloaded 1/2 symbols");
    assert_eq!(
        (ready(&second).runnable.len(), tiingo.subjects()),
        (2, ["AAPL", "MSFT", "MSFT"].map(str::to_owned).to_vec())
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_source_leaves_its_symbols_to_the_next_one_and_no_key_is_stored() {
    const KEY: &str = "K3Y9SECRETK3Y9";
    for (kind, fault) in [
        ("tiingo", Fault::ServerError),
        ("tiingo", Fault::Truncated),
        ("tiingo", Fault::Empty),
        ("tiingo", Fault::InvalidKey),
        ("massive", Fault::WrongSymbol),
        ("massive", Fault::Empty),
        ("massive", Fault::InvalidKey),
    ] {
        let feed = if kind == "tiingo" { Feed::tiingo() } else { Feed::massive() };
        let feed = feed.key(KEY).fault("*", fault).start().await.unwrap();
        let list = ListFile::new(&[(kind, Some(&feed)), ("alpha_vantage", None)]);
        let keys = [("TIINGO_API_KEY", KEY), ("MASSIVE_API_KEY", KEY)];
        let mut world = list.world(AlphaVantage::builder(), &keys).await;

        let events = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-01")).await;

        assert_eq!(ready(&events).runnable.len(), 1, "{kind} {fault}: {events:?}");
        assert_eq!(world.called(), ["AAPL", "MSFT"], "{kind} {fault}");
        assert!(feed.calls().iter().all(|call| call.key == KEY), "{kind} {fault}: {:?}", feed.calls());
        assert!(!world.everything_stored().await.contains(KEY), "{kind} {fault}");
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_actions_a_symbol_takes_three_calls_that_bring_its_splits_and_dividends() {
    let provider = AlphaVantage::builder()
        .split("AAPL", date("2020-08-31"), "4.0000")
        .split("AAPL", date("2026-01-05"), "2.0000")
        .dividend("AAPL", date("2025-08-11"), "0.26")
        .fault("MSFT", Fault::Throttled.times(1));
    let mut world = World::start(provider, &[("ALPHAVANTAGE_ACTIONS", "true")]).await;

    let events = world.prepare(&job(&["AAPL", "MSFT"], "2025-10-01", "2025-10-03")).await;

    assert_eq!((ready(&events).runnable.len(), messages(&ready(&events).warnings)), (3, vec![]));
    let functions: Vec<_> = world.provider.calls_for("AAPL").into_iter().map(|call| call.function).collect();
    assert_eq!(functions, ["TIME_SERIES_DAILY", "SPLITS", "DIVIDENDS"]);
    assert_eq!(world.provider.calls_for("MSFT").len(), 4, "the first one was refused as too fast");
    let stored: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT symbol, trading_date::text, kind FROM market.corporate_actions ORDER BY trading_date",
    )
    .fetch_all(&world.market)
    .await
    .unwrap();
    let expected = [("AAPL", "2020-08-31", "split"), ("AAPL", "2025-08-11", "dividend")];
    assert_eq!(stored, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    let of_a_request: i32 = sqlx::query_scalar("SELECT calls_per_request FROM market.sources")
        .fetch_one(&world.market)
        .await
        .unwrap();
    assert_eq!(of_a_request, 3, "dry runs count them");
    world.stop().await;
}
