//! What more executors cost PostgreSQL: its processor time for a model-day with four of them. The floor is that with one.

use std::time::Duration;

use it::{Service, Shape, System, http};

use crate::measure::{Line, of_postgres};
use crate::throughput;

const MORE: usize = 3;
/// The same job runs twice each: the first time each executor reads the prices and plans its statements.
const WARM: [&str; 2] = ["warm-of-one", "warm-of-four"];

pub(crate) async fn measure() -> Vec<Line> {
    let (mut system, _) = throughput::started(Shape::FourProcesses, &[]).await;
    let one = of_a_day(&system, WARM[0], "one").await;
    for _ in 0..MORE {
        let url = system.launch_second(Service::Executor);
        while !ready(&url).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let four = of_a_day(&system, WARM[1], "four").await;
    system.kill_seconds();
    vec![Line {
        what: "processor time of PostgreSQL for a model-day, in microseconds, with four executors (floor: with one)",
        ours: format!("{four:.0}"),
        floor: format!("{one:.0}"),
        ratio: Some(four / one),
        target: "at most 1.2",
    }]
}

async fn ready(url: &str) -> bool {
    http().get(format!("{url}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// PostgreSQL's processor time for a model-day, in microseconds.
async fn of_a_day(system: &System, warm: &str, measured: &str) -> f64 {
    throughput::run(system, warm, || ()).await;
    let before = of_postgres();
    let (job, _) = throughput::run(system, measured, || ()).await;
    let used = of_postgres().saturating_sub(before);
    let (_, status) = system.client.get(&format!("/jobs/{job}?details=false")).await;
    used.as_secs_f64() * 1e6 / status["progress"]["completed"].as_f64().expect("a count")
}
