//! From which day on the winners of a portfolio are stale, however they became known.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::events::event::Event;
use domain::simulation::model_day::{CompletedDay, DayRef};
use domain::simulation::staleness::stale_from;
use domain::values::ids::ModelDayKey;
use storage::Owner;
use storage::status::{Portfolio, Span, portfolios, rebuild, stale_portfolios, winners};
use test_support::TestDatabase;

use crate::sample::{SentEvent, accept, completed, date, job_id, projected, sent_events, shuffled};

/// A job, a day of October, its revision, and the day and revision that it continued from.
type Ran = (u128, &'static str, u32, Option<(&'static str, u32)>);

/// What portfolios went through.
const LIVES: [(&str, &[Ran]); 3] = [
    ("in order", &[(1, "01", 1, None), (1, "02", 1, Some(("01", 1))), (1, "03", 1, Some(("02", 1)))]),
    (
        "replaced in the middle, then from there to the end but one",
        &[
            (1, "01", 1, None),
            (1, "02", 1, Some(("01", 1))),
            (1, "03", 1, Some(("02", 1))),
            (1, "06", 1, Some(("03", 1))),
            (1, "07", 1, Some(("06", 1))),
            (2, "02", 2, Some(("01", 1))),
            (2, "03", 2, Some(("02", 2))),
            (2, "06", 2, Some(("03", 2))),
        ],
    ),
    (
        "filled later, and repaired",
        &[
            (1, "02", 1, None),
            (1, "06", 1, Some(("02", 1))),
            (2, "01", 1, None),
            (2, "03", 1, Some(("02", 1))),
            (3, "02", 2, Some(("01", 1))),
            (3, "03", 2, Some(("02", 2))),
            (3, "06", 2, Some(("03", 2))),
        ],
    ),
];

fn sent_days(model: &str) -> Vec<SentEvent> {
    let day = |on: &str| date(&format!("2025-10-{on}"));
    let (_, life) = LIVES.iter().find(|(name, _)| *name == model).unwrap();
    sent_events(life.iter().map(|(job, on, revision, base)| {
        let base = base.map(|(on, revision)| DayRef { date: day(on), revision });
        let made = completed(job_id(*job), model, &day(on).to_string(), *revision, base);
        let key = ModelDayKey { trial: 3, ..made.key.clone() };
        Event::ModelDayCompleted(Box::new(CompletedDay { key, ..made }))
    }))
}

/// The jobs of these histories.
const JOBS: u128 = 6;

async fn world() -> (TestDatabase, storage::PgPool) {
    let database = TestDatabase::new().await;
    for number in 1..=JOBS {
        accept(&database, job_id(number), "{}").await;
    }
    let pool = database.pool(Owner::Status).await;
    (database, pool)
}

/// The stored dates, once they are known to be those that the rule gives.
async fn stale(pool: &storage::PgPool) -> BTreeMap<String, Option<NaiveDate>> {
    let found = portfolios(pool, "default", None).await.unwrap();
    let mut stored = BTreeMap::new();
    for portfolio in found {
        let chain =
            winners(pool, "default", std::slice::from_ref(&portfolio), Span::default()).await.unwrap();
        let links = chain
            .iter()
            .map(|row| (DayRef { date: row.key.day.date, revision: row.figures.revision }, row.figures.base));
        let Portfolio { model, trial, stale_from: stored_date } = portfolio;
        assert_eq!(trial, 3);
        assert_eq!(stored_date, stale_from(links), "{model}");
        stored.insert(model, stored_date);
    }
    let models: Vec<String> = stored.keys().cloned().collect();
    let of_all = stale_portfolios(pool, "default", &models).await.unwrap();
    let stale: Vec<_> = of_all.into_iter().map(|portfolio| (portfolio.model, portfolio.stale_from)).collect();
    let expected: Vec<_> = stored.clone().into_iter().filter(|(_, date)| date.is_some()).collect();
    assert_eq!(stale, expected);
    stored
}

#[tokio::test]
async fn after_each_day_the_chain_is_stale_from_where_the_rule_says() {
    let (_database, pool) = world().await;
    for (model, _) in LIVES {
        for sent in sent_days(model) {
            projected(&pool, &[sent]).await.unwrap();
            stale(&pool).await;
        }
    }

    let ends =
        [("filled later, and repaired", None), ("in order", None), (LIVES[1].0, Some(date("2025-10-07")))];
    let ends: BTreeMap<_, _> = ends.into_iter().map(|(model, date)| (model.to_owned(), date)).collect();
    assert_eq!(stale(&pool).await, ends);
}

#[tokio::test]
async fn any_order_by_two_projectors_at_once_comes_to_the_same() {
    let all: Vec<SentEvent> = LIVES.iter().flat_map(|(model, _)| sent_days(model)).collect();
    for seed in 1..=8 {
        let (database, one) = world().await;
        let other = database.pool(Owner::Status).await;
        let order = shuffled(&all, seed);
        let project = async |pool: storage::PgPool, half: usize| {
            for sent in order.iter().skip(half).step_by(2) {
                projected(&pool, std::slice::from_ref(sent)).await.unwrap();
            }
        };

        tokio::join!(project(one.clone(), 0), project(other, 1));

        assert_eq!(stale(&one).await[LIVES[1].0], Some(date("2025-10-07")), "order {seed}");
    }
}

#[tokio::test]
async fn a_job_that_is_rebuilt_without_its_days_leaves_a_chain_without_them() {
    let (database, pool) = world().await;
    let sent = sent_days(LIVES[1].0);
    projected(&pool, &sent).await.unwrap();
    assert_eq!(stale(&pool).await[LIVES[1].0], Some(date("2025-10-07")));
    database.execute(&format!("DELETE FROM status.events WHERE job_id = '{}'", job_id(2))).await;

    rebuild(&pool, job_id(2), |_, _| Err("there is none".to_owned())).await.unwrap();

    assert_eq!(stale(&pool).await[LIVES[1].0], None, "the first revisions stand on each other");
}

/// Days of a portfolio as jobs might complete them: most are run in order, some are filled in later or replaced, and a
/// few continue from a day that was replaced meanwhile.
fn generated(model: &str, seed: u64) -> Vec<SentEvent> {
    let mut state = seed;
    let mut random = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).unwrap() % below
    };
    let mut revisions: BTreeMap<u32, u32> = BTreeMap::new();
    let mut events = Vec::new();
    while events.len() < 20 {
        let next = revisions.keys().next_back().map_or(1, |last| last + 1 + random(5) / 4);
        let on = if random(4) > 0 && next < 28 { next } else { 1 + random(next) };
        let base = revisions.range(..on).next_back().map(|(on, revision)| DayRef {
            date: date(&format!("2025-10-{on:02}")),
            revision: revision - (random(8) / 7).min(revision - 1),
        });
        let revision = revisions.entry(on).and_modify(|revision| *revision += 1).or_insert(1);
        // Each job completes a date once.
        if u128::from(*revision) <= JOBS {
            let made =
                completed(job_id((*revision).into()), model, &format!("2025-10-{on:02}"), *revision, base);
            let key = ModelDayKey { trial: 3, ..made.key.clone() };
            events.push(Event::ModelDayCompleted(Box::new(CompletedDay { key, ..made })));
        }
    }
    sent_events(events)
}

#[tokio::test]
async fn generated_histories_are_stale_from_where_the_rule_says_in_any_order() {
    let (_database, pool) = world().await;
    let (mut fresh, mut stale_ones) = (0, 0);
    for seed in 1..=8 {
        let model = format!("model {seed}");
        let sent = generated(&model, seed);
        let sent = if seed % 2 == 0 { shuffled(&sent, seed) } else { sent };
        for batch in sent.chunks(3) {
            projected(&pool, batch).await.unwrap();
            match stale(&pool).await[&model] {
                Some(_) => stale_ones += 1,
                None => fresh += 1,
            }
        }
    }

    assert!(fresh > 5 && stale_ones > 20, "{fresh} fresh and {stale_ones} stale");
}
