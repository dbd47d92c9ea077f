//! A job of thousands of lanes: how long its plan takes, what it does to a small job beside it, and its status.

use std::time::{Duration, Instant};

use it::{Service, Shape, System};
use serde_json::json;

use crate::measure::{Line, ended, percentile};

/// Lanes of a model.
const TRIALS: usize = 1_000;
/// Lanes when no argument says how many.
const DEFAULT_LANES: usize = 10_000;
/// How many status answers are measured.
const ANSWERS: usize = 50;
/// How long a plan may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The figures of a job with so many lanes of one day, rounded up to a thousand.
pub(crate) async fn measure(lanes: Option<usize>) -> Vec<Line> {
    let models = lanes.unwrap_or(DEFAULT_LANES).div_ceil(TRIALS);
    let system = System::builder(Shape::OneProcess).models(&config(models)).start().await;
    let warm = json!({ "start_date": "2025-10-01", "end_date": "2025-10-14", "models": ["small"], "experiment": "warm" });
    let warm = system.client.trigger(&warm).await;
    ended(&system, &warm, || ()).await;

    let many: Vec<String> = (0..models).map(|number| format!("m{number}")).collect();
    let before = system.resident(Service::Modelday);
    let large = json!({ "start_date": "2025-10-01", "end_date": "2025-10-01", "models": many });
    let large = system.client.trigger(&large).await;
    let (planned, mut memory) = planned(&system, &large).await;

    let began = Instant::now();
    let small = json!({ "start_date": "2025-10-01", "end_date": "2025-10-14", "models": ["small"] });
    let small = system.client.trigger(&small).await;
    ended(&system, &small, || memory.push(system.resident(Service::Modelday))).await;
    let beside = began.elapsed();
    let (_, status) = system.client.get(&format!("/jobs/{large}?details=false")).await;
    let is_beside = status["status"] == "running";

    let mut short = answers(&system, &format!("/jobs/{large}?details=false")).await;
    let mut whole = answers(&system, &format!("/jobs/{large}")).await;
    let mut grid = answers(&system, &format!("/jobs/{large}/grid")).await;
    let status = ended(&system, &large, || memory.push(system.resident(Service::Modelday))).await;
    assert_eq!(status["progress"]["completed"], models * TRIALS, "{status}");
    let mut after = answers(&system, &format!("/jobs/{large}?details=false")).await;
    let resends = resends(&system, &large).await;

    let text = |what, ours: String, target| Line { what, ours, floor: "-".to_owned(), ratio: None, target };
    let time = |what, took, target| Line::of_time(what, took, None, target);
    eprintln!("{} lanes; still running when the small job ended: {is_beside}", models * TRIALS);
    vec![
        time(
            "job of very many lanes, its prices ready to its last lane planned",
            planned,
            "at most 2 s for 10,000, 20 s for 100,000",
        ),
        text("the same, turns sent again", resends.to_string(), "0"),
        time("job of ten days beside it, triggered to ended", beside, "at most 5 s"),
        text(
            "memory of `modelday serve` with it, at most (before it: in brackets)",
            format!("{} MiB ({before} MiB)", memory.iter().max().unwrap_or(&0)),
            "flat",
        ),
        time("its status without model-days while it runs, p50", percentile(&mut short, 50), "at most 50 ms"),
        time("its status with 5,000 model-days, p50", percentile(&mut whole, 50), "at most 50 ms"),
        time("a page of its grid, p50", percentile(&mut grid, 50), "at most 50 ms"),
        time("its status when it has ended, p50", percentile(&mut after, 50), "at most 50 ms"),
    ]
}

fn config(models: usize) -> String {
    let model = |name: &str, trials: usize| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\nenabled = true\ntrials = {trials}\n\
             policy = {{ policy = \"cash\" }}\n"
        )
    };
    let many = (0..models).map(|number| model(&format!("m{number}"), TRIALS));
    many.chain([model("small", 1)]).collect()
}

/// Waits until all lanes are planned; how long that took since the prices were ready, and the memory meanwhile.
async fn planned(system: &System, job: &str) -> (Duration, Vec<u64>) {
    let began = Instant::now();
    let mut memory = Vec::new();
    let seconds = format!(
        "SELECT extract(epoch FROM clock_timestamp() - ready.created_at)::float8
         FROM execution.jobs AS job
         JOIN market.outbox AS ready ON ready.job_id = job.id AND ready.kind = job.kind
         WHERE job.id = '{job}' AND job.planned_portfolios IS NULL"
    );
    loop {
        memory.push(system.resident(Service::Modelday));
        let planned: Option<f64> = sqlx::query_scalar(sqlx::AssertSqlSafe(seconds.clone()))
            .fetch_optional(&system.database.admin)
            .await
            .unwrap();
        if let Some(seconds) = planned {
            return (Duration::from_secs_f64(seconds), memory);
        }
        assert!(began.elapsed() < PATIENCE, "the lanes are not planned");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn answers(system: &System, path: &str) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..ANSWERS {
        let began = Instant::now();
        system.client.get_ok(path).await;
        took.push(began.elapsed());
    }
    took
}

/// How many messages of turns were written that had been written before.
async fn resends(system: &System, job: &str) -> i64 {
    let again = format!(
        "SELECT count(*) - count(DISTINCT body) FROM execution.outbox
         WHERE job_id = '{job}' AND kind = 'lane.continue'"
    );
    system.database.count(&again).await
}
