use rust_decimal::Decimal;

use super::*;
use crate::accounting::costs::Costs;
use crate::ingest::coverage::{AnswerSpan, Scope};
use crate::job::{ModelKind, Options};
use crate::market::instruments::Universe;
use crate::simulation::model_day::DayRef;
use crate::strategy::policy::Policy;
use crate::values::ids::JobId;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dates(texts: &[&str]) -> BTreeSet<NaiveDate> {
    texts.iter().map(|text| date(text)).collect()
}

fn universe() -> Universe {
    let symbols = ["A", "B"].map(|name| name.parse().unwrap()).to_vec();
    Universe { name: "u".to_owned(), symbols, benchmark: None }
}

/// Two trials of one model over Thanksgiving: 11-26, the holiday, 11-28, 12-01.
fn job(options: Options) -> Job {
    let model = Model {
        signature: "m".to_owned(),
        config_hash: "h".to_owned(),
        initial_cash: Decimal::from(10_000),
        trials: 2,
        start: date("2025-11-26"),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    };
    Job {
        id: JobId(uuid::Uuid::nil()),
        experiment: "default".to_owned(),
        models: vec![model],
        universe: universe(),
        start: date("2025-11-26"),
        end: date("2025-12-01"),
        options,
        accepted_at: "2025-12-15T00:00:00Z".parse().unwrap(),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

/// Trial 0 has completed 11-26 and 12-01; the latter stands on a day that was there before 11-28 was filled.
fn winners() -> PortfolioWinners {
    let winner = |base: Option<&str>| Winner {
        revision: 1,
        base: base.map(|day| DayRef { date: date(day), revision: 1 }),
        config_hash: "h".to_owned(),
        repriced: false,
    };
    let days = [(date("2025-11-26"), winner(None)), (date("2025-12-01"), winner(Some("2025-11-26")))];
    [(("m".to_owned(), 0), days.into_iter().collect())].into()
}

fn counts(options: Options, runnable: &[&str]) -> ModelDayCounts {
    let job = job(options);
    let closed = closed_weekdays(&job, &Calendar::nyse());
    model_day_counts(&job, &job.models[0], &closed, &dates(runnable), &winners())
}

#[test]
fn each_weekday_of_each_trial_is_counted_once() {
    let found = counts(Options::default(), &["2025-11-26", "2025-11-28"]);

    let expected = ModelDayCounts {
        first: Some(date("2025-11-26")),
        last: Some(date("2025-11-28")),
        to_run: 3,
        already_completed: 2,
        market_closed: 2,
        incomplete_prices: 1,
    };
    assert_eq!(found, expected);
}

#[test]
fn completed_days_are_run_again_when_they_are_replaced_or_stale() {
    let all = ["2025-11-26", "2025-11-28", "2025-12-01"];
    let replace = Options { replace_existing: true, ..Options::default() };
    let stale = Options { reprocess_stale: true, ..Options::default() };

    assert_eq!(counts(replace, &all).to_run, 6);
    let stale = counts(stale, &all);
    assert_eq!((stale.to_run, stale.already_completed), (5, 1), "12-01 is stale once 11-28 is filled");
}

#[test]
fn a_session_is_needed_until_every_trial_has_completed_it() {
    let calendar = Calendar::nyse();
    let mut both = winners();
    both.insert(("m".to_owned(), 1), both[&("m".to_owned(), 0)].clone());

    let needed = |winners: &PortfolioWinners| sessions_to_run(&job(Options::default()), &calendar, winners);

    assert_eq!(needed(&winners()), dates(&["2025-11-26", "2025-11-28", "2025-12-01"]));
    assert_eq!(needed(&both), dates(&["2025-11-28"]));
}

fn listed(offer: Offer, calls_left: usize) -> Sources {
    Sources::Listed(vec![Source { offer, calls_left, calls_per_request: 1, refused: BTreeSet::new() }])
}

#[test]
fn what_one_source_leaves_the_next_one_brings() {
    let by_symbol = Offer { shape: Shape::BySymbol, earliest: None };
    let source = |calls_left, refused: &[&str]| Source {
        offer: by_symbol,
        calls_left,
        calls_per_request: 1,
        refused: refused.iter().map(|name| name.parse().unwrap()).collect(),
    };
    let forecast = |sources: Vec<Source>| {
        let forecast = fetched_of(&[], &Sources::Listed(sources));
        (forecast.requests, forecast.runnable.len())
    };

    assert_eq!(forecast(vec![source(0, &[]), source(1, &[])]), (1, 2));
    assert_eq!(forecast(vec![source(9, &["B"]), source(1, &[])]), (1, 2));
    assert_eq!(forecast(vec![source(9, &["B"]), source(0, &[])]), (0, 0), "nobody is left to ask");
    assert_eq!(forecast(vec![source(0, &[]), source(0, &[])]), (1, 0));
}

#[test]
fn a_request_that_takes_three_calls_counts_as_three() {
    let by_symbol = Offer { shape: Shape::BySymbol, earliest: None };
    let forecast = |calls_left| {
        let source = Source { offer: by_symbol, calls_left, calls_per_request: 3, refused: BTreeSet::new() };
        let forecast = fetched_of(&[], &Sources::Listed(vec![source]));
        (forecast.requests, forecast.runnable.len())
    };

    assert_eq!(forecast(3), (3, 2));
    assert_eq!(forecast(2), (3, 0), "what does not fit waits for the next window");
}

/// What is fetched when `A` has the first two sessions, `B` has `stored`, and the last one is not over.
fn fetched_of(stored: &[&str], source: &Sources) -> DownloadForecast {
    let scope = Scope::new(dates(&["2025-11-26", "2025-11-28", "2025-12-01"]), &universe(), &[]);
    let [a, b]: [Symbol; 2] = ["A", "B"].map(|name| name.parse().unwrap());
    let of_a = [(&a, date("2025-11-26")), (&a, date("2025-11-28"))].into_iter();
    let bars: Vec<_> = of_a.chain(stored.iter().map(|day| (&b, date(day)))).collect();
    let no_spans: [AnswerSpan; 0] = [];
    let now = "2025-12-01T15:00:00Z".parse().unwrap();
    let coverage = Coverage::assess(scope, bars, &no_spans, now);
    download_forecast(&coverage, source, now, date("2025-11-28"))
}

fn fetched(source: &Sources) -> DownloadForecast {
    fetched_of(&["2025-11-26"], source)
}

#[test]
fn an_answer_brings_nothing_from_before_the_plans_reach() {
    let offer = Offer { shape: Shape::BySymbol, earliest: Some(date("2025-11-28")) };

    let download = fetched_of(&[], &listed(offer, 9));

    assert_eq!((download.requests, download.dates.len()), (1, 2));
    assert_eq!(download.runnable, dates(&["2025-11-28"]));
}

#[test]
fn what_is_missing_is_fetched_as_far_as_the_provider_goes() {
    let offer = Offer { shape: Shape::BySymbol, earliest: None };
    let late = Offer { earliest: Some(date("2025-12-01")), ..offer };
    let whole = fetched(&listed(offer, 1));

    assert_eq!((whole.symbols.len(), whole.dates.len(), whole.requests), (1, 1, 1));
    assert_eq!(whole.not_yet, dates(&["2025-12-01"]));
    assert_eq!(whole.runnable, dates(&["2025-11-26", "2025-11-28"]));
    assert_eq!(fetched(&Sources::Unknown), whole);
    for none in [Sources::Listed(Vec::new()), listed(offer, 0)] {
        let none = fetched(&none);
        assert_eq!((none.runnable, none.requests), (dates(&["2025-11-26"]), 1));
    }
    let out_of_reach = fetched(&listed(late, 9));
    assert_eq!((out_of_reach.runnable, out_of_reach.requests), (dates(&["2025-11-26"]), 0));
}
