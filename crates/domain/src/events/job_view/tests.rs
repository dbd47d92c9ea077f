//! Facts in any order and number add up to the same.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;

use super::days::{DayFacts, DayState, facts};
use super::*;
use crate::accounting::costs::Costs;
use crate::accounting::portfolio::Portfolio;
use crate::events::event::{
    DataFailed, DataReady, DataWaiting, DaysSkipped, DownloadProgressed, DownloadStarted, JobStarted,
    ModelDayStarted,
};
use crate::job::{EndCause, Job, Model, ModelKind, Options};
use crate::market::instruments::Universe;
use crate::simulation::model_day::{CompletedDay, DayRef, FailedDay, SkipReason, SkippedDate};
use crate::strategy::policy::Policy;
use crate::values::ids::{JobId, ModelDayKey};

fn instant(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_760_000_000 + second)
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn model(signature: &str, start: &str) -> Model {
    Model {
        signature: signature.to_owned(),
        config_hash: "h".to_owned(),
        initial_cash: Decimal::from(10_000),
        trials: 1,
        start: date(start),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    }
}

fn job(models: &[&str], end: &str) -> Job {
    Job {
        id: JobId("01890000-0000-7000-8000-000000000001".parse().unwrap()),
        experiment: "default".to_owned(),
        models: models.iter().map(|name| model(name, "2025-10-01")).collect(),
        universe: Universe {
            name: "small".to_owned(),
            symbols: vec!["AAPL".parse().unwrap()],
            benchmark: Some("QQQ".parse().unwrap()),
        },
        start: date("2025-10-01"),
        end: date(end),
        options: Options::default(),
        accepted_at: instant(0),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

/// How one day of the generated job ends.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Completes { announced: bool },
    Fails,
    IsSkipped,
}

/// The life of a job as the services publish it, in order, with its times.
fn life(fates: &[Fate], download: Option<u32>, waits: bool, data_fails: bool) -> Vec<(Event, i64)> {
    let job = job(&["a", "b"], "2025-10-31");
    let id = job.id;
    let mut events = vec![Event::JobRequested(job.clone())];
    if let Some(symbols_total) = download {
        events.push(Event::DownloadStarted(DownloadStarted { job: id, symbols_total }));
        for symbols_done in 1..=symbols_total {
            let budget_left = Some(100 - symbols_done);
            let progress = DownloadProgressed { job: id, symbols_done, symbols_total, budget_left };
            events.push(Event::DownloadProgressed(progress));
            if waits && symbols_done == 2 {
                events.push(Event::DataWaiting(DataWaiting {
                    job: id,
                    until: instant(500),
                    symbols_missing: 9,
                    windows: Some(3),
                }));
                events.push(Event::DataWaiting(DataWaiting {
                    job: id,
                    until: instant(900),
                    symbols_missing: 5,
                    windows: Some(2),
                }));
            }
        }
    }
    let warnings = vec![
        Warning::rate_limited(1, 3).about(vec!["MSFT".parse().unwrap(), "AAPL".parse().unwrap()]),
        Warning::dates_skipped(vec![date("2025-10-02")]),
    ];
    let error = data_fails.then(|| "no trading dates".to_owned());
    events.push(match &error {
        Some(error) => Event::DataFailed(DataFailed {
            job,
            error: error.clone(),
            skipped: Vec::new(),
            warnings: warnings.clone(),
        }),
        None => Event::DataReady(DataReady {
            runnable: job.models[0].start.iter_days().take(2).collect(),
            job,
            skipped: Vec::new(),
            warnings: warnings.clone(),
        }),
    });
    if !data_fails {
        events.push(Event::JobStarted(JobStarted { job: id, lanes: 2, model_days: 9, outline: None }));
    }
    let mut tally = Tally::default();
    for (place, fate) in fates.iter().enumerate() {
        let key = ModelDayKey {
            job: id,
            experiment: "default".to_owned(),
            model: if place % 2 == 0 { "a" } else { "b" }.to_owned(),
            trial: 0,
            date: date("2025-10-01") + TimeDelta::days(place as i64 / 2),
        };
        let began = instant(100 + place as i64);
        match fate {
            Fate::Completes { announced } => {
                tally.completed += 1;
                if *announced {
                    for attempt in 1..=2 {
                        let key = key.clone();
                        events.push(Event::ModelDayStarted(ModelDayStarted {
                            key,
                            attempt,
                            started_at: began,
                        }));
                    }
                }
                events.push(Event::ModelDayCompleted(Box::new(completed(key, began))));
            }
            Fate::Fails => {
                tally.failed += 1;
                let (error, completed_at) = ("boom".to_owned(), began);
                events.push(Event::ModelDayFailed(FailedDay {
                    key,
                    attempt: 1,
                    error,
                    started_at: began,
                    completed_at,
                    agent: None,
                }));
            }
            Fate::IsSkipped => {
                tally.skipped += 1;
                let dates = vec![SkippedDate { date: key.date, reason: SkipReason::MarketClosed }];
                let ModelDayKey { job, experiment, model, trial, .. } = key;
                events.push(Event::ModelDaysSkipped(DaysSkipped { job, experiment, model, trial, dates }));
            }
        }
    }
    let warnings = [warnings, vec![Warning::already_completed(3)]].concat();
    events.push(Event::JobEnded(JobEnded {
        job: id,
        outcome: tally.outcome(EndCause::DaysEnded),
        tally,
        error,
        warnings,
        ended_at: instant(1_000),
        outline: None,
    }));
    events.into_iter().zip(1..).collect()
}

fn completed(key: ModelDayKey, at: DateTime<Utc>) -> CompletedDay {
    CompletedDay {
        attempt: 1,
        revision: 1,
        base: Some(DayRef { date: key.date - TimeDelta::days(1), revision: 1 }),
        config_hash: "h".to_owned(),
        corporate_actions: Vec::new(),
        starting_position: None,
        starting_value: Decimal::from(10_000),
        profit: Decimal::ZERO,
        return_pct: Decimal::ZERO,
        days_since_last_trading: 1,
        trades: Vec::new(),
        refused: Vec::new(),
        ending_position: Portfolio::new(Decimal::from(10_000), std::collections::BTreeMap::new()).unwrap(),
        value_at_open: Decimal::from(10_000),
        value_at_close: Decimal::from(10_000),
        stale_symbols: Vec::new(),
        price_dates: Default::default(),
        started_at: at,
        completed_at: at,
        agent: None,
        key,
    }
}

fn folded(events: &[(Event, i64)]) -> (JobView, DayFacts<()>) {
    let (mut view, mut days) = (JobView::default(), DayFacts::default());
    for (event, second) in events {
        fold(&mut view, &Occurrence { event, at: instant(*second), trace_id: Some("t") });
        for fact in facts(event) {
            days.add(fact, ());
        }
    }
    (view, days)
}

fn ended_days(days: &DayFacts<()>) -> u32 {
    days.iter().filter(|(fact, ())| fact.state.has_ended()).count() as u32
}

fn lives() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let fate = prop_oneof![
        any::<bool>().prop_map(|announced| Fate::Completes { announced }),
        Just(Fate::Fails),
        Just(Fate::IsSkipped)
    ];
    let fates = prop::collection::vec(fate, 0..12);
    (fates, prop::option::of(1_u32..5), any::<bool>(), any::<bool>())
        .prop_map(|(fates, download, waits, fails)| life(&fates, download, waits, fails))
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_adds_up_to_the_same(
        (events, received) in lives().prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        again in prop::collection::vec(any::<Index>(), 0..20),
    ) {
        let mut received = received;
        for index in &again {
            let repeated = received[index.index(received.len())].clone();
            received.insert(index.index(received.len()), repeated);
        }

        let (view, days) = folded(&received);

        let (expected, expected_days) = folded(&events);
        prop_assert_eq!(&view, &expected);
        prop_assert_eq!(&days, &expected_days);
        prop_assert!(view.shown_state(ended_days(&days)).is_terminal());
    }

    #[test]
    fn a_job_is_shown_as_ended_only_when_all_its_days_are_known(
        received in lives().prop_flat_map(|events| Just(events).prop_shuffle()),
    ) {
        let (mut view, mut days) = (JobView::default(), DayFacts::default());
        let all = ended_days(&folded(&received).1);
        for (event, second) in &received {
            fold(&mut view, &Occurrence { event, at: instant(*second), trace_id: None });
            for fact in facts(event) {
                days.add(fact, ());
            }
            let known = ended_days(&days);
            prop_assert_eq!(view.shown_state(known).is_terminal(), view.ended.is_some() && known == all);
        }
    }

    #[test]
    fn a_view_reads_back_as_it_was_written(events in lives()) {
        let (view, _) = folded(&events);

        let text = serde_json::to_string(&view).unwrap();

        prop_assert_eq!(serde_json::from_str::<JobView>(&text).unwrap(), view);
    }
}

#[test]
fn a_stub_is_pending_and_knows_nothing() {
    let view: JobView = serde_json::from_str("{}").unwrap();

    assert_eq!(view, JobView::default());
    assert_eq!(view.shown_state(7), JobState::Pending);
}

#[test]
fn work_begins_with_the_download_and_waiting_ends_with_the_prices() {
    let events = life(&[], Some(3), true, false);
    let ready = events.iter().position(|(event, _)| matches!(event, Event::DataReady(_))).unwrap();

    let (before, _) = folded(&events[..ready]);
    let (after, _) = folded(&events);

    assert_eq!(before.shown_state(0), JobState::DownloadingData);
    assert_eq!(before.started_at, Some(instant(2)));
    assert_eq!(before.download, Some(Download { symbols_total: 3, symbols_done: 3, budget_left: Some(97) }));
    assert_eq!(before.waits_until(instant(10)), Some(instant(900)));
    assert_eq!(before.waits_until(instant(901)), None);
    assert_eq!(after.waits_until(instant(10)), None);
    assert_eq!(after.started_at, Some(instant(2)));
}

#[test]
fn a_warning_told_twice_is_one_and_the_causes_come_first() {
    let (view, _) = folded(&life(&[], None, false, false));

    let codes: Vec<_> = view.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["RATE_LIMITED", "DATES_SKIPPED", "ALREADY_COMPLETED"]);
    assert_eq!(view.warnings[0].symbols, ["AAPL".parse().unwrap(), "MSFT".parse().unwrap()]);
}

#[test]
fn cells_are_the_weekdays_of_each_model_by_date_then_model() {
    let mut job = job(&["b", "a"], "2025-10-06");
    job.start = date("2025-10-02");
    job.models[0].start = date("2025-10-03");
    job.models[1].start = date("2025-10-02");
    job.models[1].trials = 2;
    let requested = JobRequest::from(&job);
    let text = |cell: RequestedDay| format!("{} {}{}", cell.date, cell.model, cell.trial);

    let cells: Vec<_> = requested.model_days(None, None).collect();

    let expected = [
        "2025-10-02 a0",
        "2025-10-02 a1",
        "2025-10-03 a0",
        "2025-10-03 a1",
        "2025-10-03 b0",
        "2025-10-06 a0",
        "2025-10-06 a1",
        "2025-10-06 b0",
    ];
    assert_eq!(cells.iter().cloned().map(text).collect::<Vec<_>>(), expected);
    assert_eq!(requested.total_model_days(), 8);
    let rest: Vec<_> = requested.model_days(None, Some(&cells[3])).map(text).collect();
    assert_eq!(rest, expected[4..]);
    let of_b: Vec<_> = requested.model_days(Some("b"), None).map(text).collect();
    assert_eq!(of_b, ["2025-10-03 b0", "2025-10-06 b0"]);
}

#[test]
fn a_day_that_has_ended_stays_as_it_ended() {
    let events = life(&[Fate::Completes { announced: true }], None, false, false);

    let (_, days) = folded(&events.into_iter().rev().collect::<Vec<_>>());

    let states: Vec<_> = days.iter().map(|(fact, ())| (fact.state, fact.attempt)).collect();
    assert_eq!(states, [(DayState::Completed, 1)]);
}
