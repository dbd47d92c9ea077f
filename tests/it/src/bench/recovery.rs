//! How soon days go on after a fault: executors killed in the middle of days, the broker or the database back again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use it::{Service, Shape, System};
use serde_json::json;

use crate::measure::{Line, ended, millis, percentile, ratio};

const LANES: usize = 10;
const ROUNDS: usize = 5;
/// How long a server is away: longer than the longest wait between two attempts to connect.
const ABSENCE: Duration = Duration::from_secs(12);
/// Time between two looks at what is committed.
const LOOK: Duration = Duration::from_millis(5);
const MODELS: &str = "[[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\ntrials = 10\n\
    policy = { policy = \"random\", seed = 1, orders_per_day = 3 }\n";

/// The lines of killed executors, and of servers that were away.
pub(crate) async fn measure() -> Vec<Line> {
    let mut lines = killed_executors().await;
    lines.extend(absent_servers().await);
    lines
}

/// Ten lanes of ten years, with a turn for each day.
fn job(round: usize) -> serde_json::Value {
    json!({ "start_date": "2016-01-04", "end_date": "2025-09-30", "experiment": format!("r{round}") })
}

/// The days that each open lane has committed.
async fn done(system: &System) -> BTreeMap<String, i32> {
    let open = "SELECT id::text, done FROM execution.lanes WHERE state = 'ready'";
    sqlx::query_as(open).fetch_all(&system.database.admin).await.unwrap().into_iter().collect()
}

/// Begins a job and waits until all of its lanes go on.
async fn begin(system: &System, round: usize) -> String {
    let job = system.client.trigger(&job(round)).await;
    test_support::eventually("all lanes have begun", async || {
        let lanes = done(system).await;
        (lanes.len() == LANES && lanes.values().all(|done| *done > 0)).then_some(())
    })
    .await;
    job
}

/// How long from now until each open lane commits next. A lane that is not open any more has committed its last day.
async fn next_commits(system: &System) -> Vec<Duration> {
    let (began, before) = (Instant::now(), done(system).await);
    let mut waits = BTreeMap::new();
    while waits.len() < before.len() {
        assert!(began.elapsed() < Duration::from_secs(60), "a lane has not gone on within a minute");
        let now = done(system).await;
        for (lane, then) in &before {
            if now.get(lane).is_none_or(|now| now > then) {
                waits.entry(lane.clone()).or_insert_with(|| began.elapsed());
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    waits.into_values().collect()
}

async fn cancel(system: &System, job: &str) {
    system.client.cancel(job).await;
    ended(system, job, || ()).await;
}

async fn killed_executors() -> Vec<Line> {
    let mut system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2015-01-02".parse().unwrap()))
        .start()
        .await;
    system.second(Service::Executor).await;
    let (mut ordinary, mut one, mut both, mut starts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let job = begin(&system, round).await;
        ordinary.extend(next_commits(&system).await);
        system.kill(Service::Executor);
        one.extend(next_commits(&system).await);
        cancel(&system, &job).await;
        let began = Instant::now();
        system.restart(Service::Executor).await;
        starts.push(began.elapsed());

        let job = begin(&system, ROUNDS + round).await;
        system.kill(Service::Executor);
        system.kill_seconds();
        system.launch(Service::Executor);
        system.launch_second(Service::Executor);
        both.extend(next_commits(&system).await);
        cancel(&system, &job).await;
        system.ready(Service::Executor).await;
    }
    let floor = percentile(&mut ordinary, 50);
    let start = percentile(&mut starts, 50);
    [
        ("one of two executors killed, a lane's next commit, p50 (floor: a lane's next commit without a fault)", percentile(&mut one, 50), floor, "under 700 ms"),
        ("the same, p99", percentile(&mut one, 99), floor, "under 2,000 ms"),
        ("both executors killed and started again, the same, p50 (floor: one starts while nothing runs)", percentile(&mut both, 50), start, "under 700 ms"),
        ("the same, p99", percentile(&mut both, 99), start, "under 2,000 ms"),
    ]
    .map(|(what, ours, floor, target)| line(what, ours, floor, target))
    .into()
}

async fn absent_servers() -> [Line; 2] {
    let system = System::builder(Shape::FourProcesses)
        .behind_proxies()
        .universe(&["AAPL", "MSFT"], None)
        .models(MODELS)
        .prices(|prices| prices.generated_from("2015-01-02".parse().unwrap()))
        .env("LANE_SLICE_MS", "0")
        .start()
        .await;
    let job = begin(&system, 0).await;
    let floor = percentile(&mut next_commits(&system).await, 50);
    let network = system.network();
    let mut waits = Vec::new();
    for server in [&network.broker, &network.database] {
        server.go_away();
        tokio::time::sleep(ABSENCE).await;
        server.come_back();
        let commits = next_commits(&system).await;
        waits.push(commits.into_iter().min().unwrap_or_default());
        next_commits(&system).await;
    }
    cancel(&system, &job).await;
    let [broker, database] = waits[..] else { panic!("two servers") };
    [
        line(
            "the broker back after 12 s, first day committed, each with a message (floor: a lane's next commit)",
            broker,
            floor,
            "under 2,000 ms",
        ),
        line("PostgreSQL back after 12 s, the same", database, floor, "under 2,000 ms"),
    ]
}

fn line(what: &'static str, ours: Duration, floor: Duration, target: &'static str) -> Line {
    Line { what, ours: millis(ours), floor: millis(floor), ratio: ratio(ours, floor), target }
}
