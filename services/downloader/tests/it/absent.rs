//! Symbols that the provider does not have, for good or for the moment, and jobs that need few symbols or none.

use domain::events::event::Event;
use domain::job::ModelKind;
use domain::strategy::policy::Policy;
use standin::{AlphaVantage, Fault};

use crate::support::{World, failed, job, names, ready};

/// The symbols of the first warning with this code.
fn symbols_of(events: &[Event], code: &str) -> Vec<String> {
    let warnings = match events.last() {
        Some(Event::DataReady(event)) => &event.warnings,
        Some(Event::DataFailed(event)) => &event.warnings,
        other => panic!("not over: {other:?}"),
    };
    let warning = warnings.iter().find(|warning| warning.code == code);
    warning.into_iter().flat_map(|warning| &warning.symbols).map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_run_without_unknown_symbols_and_a_refusal_that_passes_hides_nothing() {
    let provider = AlphaVantage::builder()
        .fault("XXXX", Fault::Unknown)
        .fault("BF-B", Fault::Empty)
        .fault("NVDA", Fault::Unknown.times(2));
    let mut world = World::start(provider, &[]).await;
    let job_of = || job(&["AAPL", "BF.B", "MSFT", "NVDA", "XXXX"], "2025-10-01", "2025-10-03");

    let first = world.prepare(&job_of()).await;
    let calls = world.called();

    assert_eq!((ready(&first).runnable.len(), ready(&first).skipped.len()), (3, 0));
    assert_eq!(symbols_of(&first, "SYMBOLS_UNAVAILABLE"), ["BF.B", "XXXX"]);
    assert_eq!(ready(&first).warnings.len(), 1, "{:?}", ready(&first).warnings);
    let text = &ready(&first).warnings[0].message;
    assert!(text.contains("XXXX: Alpha Vantage does not know it"), "{text}");
    assert_eq!(world.provider.calls_for("NVDA").len(), 3, "asked until it answered");

    let second = world.prepare(&job_of()).await;

    assert_eq!((names(&second), world.called()), (vec!["ready"], calls), "the refusals are remembered");
    assert_eq!(ready(&second).warnings, ready(&first).warnings);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_symbol_is_asked_for_again_after_a_day() {
    let mut world = World::start(AlphaVantage::builder().fault("NVDA", Fault::Unknown.times(3)), &[]).await;
    let job_of = || job(&["AAPL", "NVDA"], "2025-10-01", "2025-10-03");
    let first = world.prepare(&job_of()).await;
    assert_eq!(symbols_of(&first, "SYMBOLS_UNAVAILABLE"), ["NVDA"]);
    sqlx::query("UPDATE market.refusals SET refused_at = refused_at - interval '24 hours'")
        .execute(&world.market)
        .await
        .unwrap();

    let second = world.prepare(&job_of()).await;

    assert_eq!((ready(&second).runnable.len(), ready(&second).warnings.len()), (3, 0));
    assert_eq!(world.called(), ["AAPL", "NVDA", "NVDA", "NVDA", "NVDA"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_on_which_most_symbols_are_absent_do_not_run() {
    let provider = AlphaVantage::builder().fault("XXXX", Fault::Unknown).fault("YYYY", Fault::Unknown);
    let mut world = World::start(provider, &[]).await;

    let events = world.prepare(&job(&["AAPL", "XXXX", "YYYY"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(symbols_of(&events, "SYMBOLS_UNAVAILABLE"), ["XXXX", "YYYY"]);
    assert_eq!(failed(&events).skipped.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_needs_no_call_and_a_held_index_fund_one() {
    let mut world = World::start(AlphaVantage::builder().generated(), &[]).await;
    let job_of = |policy: Policy| {
        let mut job = job(&["AAPL", "MSFT", "NVDA"], "2025-10-01", "2025-10-03");
        job.universe.benchmark = Some("QQQ".parse().unwrap());
        job.models[0].kind = ModelKind::Policy(policy);
        job
    };

    let cash = world.prepare(&job_of(Policy::Cash)).await;
    assert_eq!((ready(&cash).runnable.len(), world.called().len()), (3, 0));
    assert_eq!(names(&cash), ["ready"]);

    let hold = world.prepare(&job_of(Policy::BuyAndHold { symbol: "QQQ".parse().unwrap() })).await;
    assert_eq!((ready(&hold).runnable.len(), world.called()), (3, vec!["QQQ".to_owned()]));
    world.stop().await;
}
