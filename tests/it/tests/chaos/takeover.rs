//! An executor is killed in the middle of days: how soon its lanes go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use it::{Service, Shape, System};
use serde_json::json;

const TRIALS: usize = 10;
const ROUNDS: usize = 5;
const MODELS: &str = "[[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\ntrials = 10\n\
    policy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n";

/// A system with two executors, for jobs of ten lanes and ten years.
async fn ten_lanes() -> System {
    let mut system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2015-01-02".parse().expect("a date")))
        .start()
        .await;
    system.second(Service::Executor).await;
    system
}

/// The days that each open lane has committed.
async fn done(system: &System) -> BTreeMap<String, i32> {
    let open = "SELECT id::text, done FROM execution.lanes WHERE state = 'ready'";
    sqlx::query_as(open).fetch_all(&system.database.admin).await.unwrap().into_iter().collect()
}

/// Begins a job and waits until all of its lanes go on.
async fn begin(system: &System, round: usize) {
    let job =
        json!({ "start_date": "2016-01-04", "end_date": "2025-09-30", "experiment": format!("r{round}") });
    let job = system.client.trigger(&job).await;
    test_support::eventually("all lanes have begun", async || {
        let lanes = done(system).await;
        (lanes.len() == TRIALS && lanes.values().all(|done| *done > 0)).then_some(())
    })
    .await;
    drop(job);
}

/// How long after `killed` each lane commits next.
async fn next_commits(system: &System, killed: Instant) -> Vec<Duration> {
    let before = done(system).await;
    let mut waits = BTreeMap::new();
    while waits.len() < before.len() && killed.elapsed() < Duration::from_secs(30) {
        let now = done(system).await;
        for (lane, then) in &before {
            // A lane that is not open any more has ended.
            if now.get(lane).is_none_or(|now| now > then) {
                waits.entry(lane.clone()).or_insert_with(|| killed.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(waits.len(), before.len(), "a lane has not gone on within 30 s");
    waits.into_values().collect()
}

fn assert_soon(mut waits: Vec<Duration>) {
    waits.sort();
    let (median, last) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    eprintln!("{} lanes: p50 {median:?}, p99 {last:?}", waits.len());
    assert!(median < Duration::from_millis(700) && last < Duration::from_secs(2), "{median:?} {last:?}");
}

async fn cancel_all(system: &System) {
    let jobs = "SELECT string_agg(id::text, ' ') FROM execution.jobs WHERE state = 'running'";
    for job in system.database.text(jobs).await.split_whitespace() {
        system.client.cancel(job).await;
        system.client.ended(job).await;
    }
}

#[tokio::test]
#[ignore = "measures, and takes minutes"]
async fn the_lanes_of_a_killed_executor_go_on_at_once_in_the_other() {
    let mut system = ten_lanes().await;
    let mut waits = Vec::new();

    for round in 0..ROUNDS {
        begin(&system, round).await;
        system.kill(Service::Executor);
        waits.extend(next_commits(&system, Instant::now()).await);
        cancel_all(&system).await;
        system.restart(Service::Executor).await;
    }

    assert_soon(waits);
}

#[tokio::test]
#[ignore = "measures, and takes minutes"]
async fn lanes_go_on_at_once_when_all_executors_were_killed_and_started_again() {
    let mut system = ten_lanes().await;
    let mut waits = Vec::new();

    for round in 0..ROUNDS {
        begin(&system, round).await;
        system.kill(Service::Executor);
        system.kill_seconds();
        let killed = Instant::now();
        system.launch(Service::Executor);
        system.launch_second(Service::Executor);
        waits.extend(next_commits(&system, killed).await);
        cancel_all(&system).await;
        system.ready(Service::Executor).await;
    }

    assert_soon(waits);
}
