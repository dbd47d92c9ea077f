//! Old messages are deleted as fast as new ones are made, and an outbox stays as large as it is.

use std::cell::Cell;
use std::time::{Duration, Instant};

use it::{Service, Shape, System};
use serde_json::{Value, json};

use crate::measure::Line;
use crate::throughput::models;

/// Old messages in the outbox when the job begins.
const OLD: u32 = 500_000;
const FIRST: &str = "2017-01-03";
const LAST: &str = "2024-12-12";

/// How long the soak lasts, and how many rows it makes in a second.
const SOAK: Duration = Duration::from_secs(600);
const RATE: u32 = 300;

async fn system() -> System {
    System::builder(Shape::OneProcess)
        .models(&models())
        .prices(|prices| prices.generated_from("2016-01-04".parse().unwrap()))
        .env("RETENTION_OUTBOX", "1h")
        .env("MAX_ACTIVE_JOBS", "1000")
        .start()
        .await
}

async fn run(system: &System, start: &str, end: &str, experiment: &str) -> Value {
    let job = json!({ "start_date": start, "end_date": end, "experiment": experiment });
    let job = system.client.trigger(&job).await;
    crate::measure::ended(system, &job, || ()).await
}

/// Runs a job of two days, whose messages are few.
async fn template(system: &System) {
    run(system, "2016-05-02", "2016-05-03", "template").await;
}

/// Fills the outbox of executor with so many sent messages like those of a day; each was sent so many seconds ago.
async fn fill(system: &System, count: u32, seconds_ago: &str) {
    let statement = format!(
        "INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, body, created_at, sent_at)
        SELECT gen_random_uuid(), kind, exchange, routing_key, job_id, body, at, at
        FROM (
            SELECT * FROM execution.outbox WHERE kind = 'modelday.model_day.completed.v1' LIMIT 1
        ) AS template, generate_series(1, {count}) AS number,
            LATERAL (SELECT now() - make_interval(secs => {seconds_ago}) AS at) AS times
        ORDER BY at"
    );
    system.database.execute(&statement).await;
}

async fn deleted(system: &System) -> f64 {
    let (_, text) = system.get(Service::Modelday, "/metrics").await.unwrap();
    let name = "modelday_pruned_rows_total{schema=\"execution\",table=\"outbox\"} ";
    text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).unwrap_or(0.0)
}

async fn size(system: &System) -> i64 {
    system.database.count("SELECT pg_total_relation_size('execution.outbox') / 1048576").await
}

/// Rows deleted and made per second while a job runs at full speed.
pub(crate) async fn measure() -> Vec<Line> {
    let system = system().await;
    template(&system).await;
    // Rows are deleted in the order of their ids, so the old ones come before those of the job.
    let untouched = deleted(&system).await;
    fill(&system, OLD, "7200").await;
    let sized = size(&system).await;
    // The executor looks for old rows every few seconds.
    while deleted(&system).await <= untouched {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = deleted(&system).await;
    let made = "SELECT max(id) FROM execution.outbox";
    let first = system.database.count(made).await;
    let began = Instant::now();
    let ended = Cell::new(false);
    let job = async {
        let job = run(&system, FIRST, LAST, "measured").await;
        ended.set(true);
        job
    };
    let pruning = async {
        loop {
            let pruned = deleted(&system).await - before;
            if before + pruned >= untouched + f64::from(OLD) || ended.get() {
                return pruned / began.elapsed().as_secs_f64();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (job, gone) = tokio::join!(job, pruning);
    assert_eq!(job["status"], "completed");
    let times =
        "SELECT (extract(epoch FROM max(ended_at) - min(planned_at)) * 1000)::bigint FROM execution.jobs
        WHERE planned_at = (SELECT max(planned_at) FROM execution.jobs)";
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let made = {
        let rows = system.database.count(made).await - first;
        rows as f64 * 1000.0 / system.database.count(times).await.max(1) as f64
    };
    vec![
        Line {
            what: "old messages deleted per second while a job runs at full speed (floor: messages made per second)",
            ours: format!("{gone:.0} /s"),
            floor: format!("{made:.0} /s"),
            ratio: Some(gone / made),
            target: "at least 1",
        },
        Line {
            what: "size of the executor's outbox afterwards (floor: before)",
            ours: format!("{} MiB", size(&system).await),
            floor: format!("{sized} MiB"),
            ratio: None,
            target: "no larger, but for what a job makes",
        },
    ]
}

/// The size of an outbox that holds an hour, for ten minutes, at a steady rate.
pub(crate) async fn soak() -> Vec<Line> {
    let system = system().await;
    template(&system).await;
    fill(&system, RATE * 3_600, &format!("3600.0 - number / {RATE}.0")).await;
    let began = Instant::now();
    let (mut sizes, mut jobs) = (Vec::new(), 0_u32);
    while began.elapsed() < SOAK {
        // Ten models, so 30 sessions make 300 messages.
        run(&system, "2024-10-31", LAST, &format!("soak-{jobs}")).await;
        jobs += 1;
        let due = Duration::from_secs(jobs.into());
        tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
        if began.elapsed().as_secs() / 60 >= sizes.len() as u64 {
            let rows = system.database.count("SELECT count(*) FROM execution.outbox").await;
            sizes.push((size(&system).await, rows));
            println!(
                "<!-- minute {}: {} MiB, {rows} messages, {jobs} jobs -->",
                sizes.len(),
                sizes[sizes.len() - 1].0
            );
        }
    }
    let (first, last) = (sizes[1.min(sizes.len() - 1)], sizes[sizes.len() - 1]);
    vec![Line {
        what: "size of an outbox that keeps an hour, after ten minutes at a steady rate (floor: after one minute)",
        ours: format!("{} MiB, {} messages", last.0, last.1),
        floor: format!("{} MiB, {} messages", first.0, first.1),
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        ratio: Some(last.0 as f64 / first.0 as f64),
        target: "at most 1.1",
    }]
}
