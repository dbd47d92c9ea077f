//! Jobs of one day, many a second, with all services at work.

use std::time::{Duration, Instant};

use it::{Service, Shape, System};
use serde_json::json;

use crate::measure::{Line, busy, percentile};
use crate::steps::{Steps, bare};

/// Jobs accepted a second.
const PER_SECOND: u32 = 50;
/// For how long they are sent, in seconds.
const SECONDS: u32 = 20;
/// Jobs sent a second, and for how many seconds, to see how many end in a second at most.
const MANY_PER_SECOND: u32 = 150;
const MANY_SECONDS: u32 = 60;
/// How long jobs may take to end after they were sent.
const PATIENCE: Duration = Duration::from_secs(300);

const MODELS: &str =
    "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";

/// Times of acceptance and of the first day, and the processor time of a job.
pub(crate) async fn measure() -> Vec<Line> {
    let system =
        System::builder(Shape::OneProcess).models(MODELS).env("MAX_ACTIVE_JOBS", "1000000").start().await;
    send(&system, "warm", PER_SECOND, 2).await;
    ended(&system, 2 * PER_SECOND).await;

    let (before, began) = (steps(&system).await, busy());
    let mut accepted = send(&system, "jobs", PER_SECOND, SECONDS).await;
    ended(&system, (2 + SECONDS) * PER_SECOND).await;
    let ours = busy().saturating_sub(began) / (PER_SECOND * SECONDS);
    let mut begun = first_days(&system).await;
    // The commits that PostgreSQL counts are those that wrote something.
    let steps = steps(&system).await.since(&before).each(PER_SECOND * SECONDS);
    let memory = system.resident(Service::Modelday);
    let (rate, mut accepted_of_many) = many(&system).await;
    system.signal(Service::Modelday, "STOP");
    let floor = bare(&system, &steps).await;
    system.signal(Service::Modelday, "CONT");
    eprintln!("a one-day job: {steps}; {memory} MiB in memory");

    let line = |what, took: Duration, target| Line::of_time(what, took, None, target);
    vec![
        line("50 one-day jobs a second, accepted, p50", percentile(&mut accepted, 50), "at most 10 ms"),
        line("the same, p99", percentile(&mut accepted, 99), "at most 50 ms"),
        line(
            "the same, first day begun after the acceptance, p50",
            percentile(&mut begun, 50),
            "at most 25 ms",
        ),
        line("the same, p99", percentile(&mut begun, 99), "at most 200 ms"),
        Line::of_time(
            "processor time of such a job, all processes (floor: as many bare commits, publishes and deliveries)",
            ours,
            Some(floor),
            "at most 2",
        ),
        Line {
            what: "150 one-day jobs a second for a minute: how many ended a second, from the first request to the last end",
            ours: format!("{rate:.0} /s"),
            floor: "-".to_owned(),
            ratio: None,
            target: "150 /s",
        },
        line("the same, accepted, p50", percentile(&mut accepted_of_many, 50), "-"),
    ]
}

/// Jobs that end a second while more are sent than that, and how long each took to be accepted.
async fn many(system: &System) -> (f64, Vec<Duration>) {
    let began = Instant::now();
    let accepted = send(system, "many", MANY_PER_SECOND, MANY_SECONDS).await;
    let count = MANY_PER_SECOND * MANY_SECONDS;
    ended(system, (2 + SECONDS) * PER_SECOND + count).await;
    (f64::from(count) / began.elapsed().as_secs_f64(), accepted)
}

/// Sends so many jobs a second in equal distances, each in an experiment of its own. How long each took to be accepted.
async fn send(system: &System, name: &str, per_second: u32, seconds: u32) -> Vec<Duration> {
    let http = it::http();
    let url = format!("{}/simulate/trigger", system.client.trigger_url);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut requests = Vec::new();
    for number in 0..per_second * seconds {
        ticks.tick().await;
        let experiment = format!("{name}-{number}");
        let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-01", "experiment": experiment });
        let request = http.post(&url).json(&body);
        requests.push(tokio::spawn(async move {
            let began = Instant::now();
            let response = request.send().await.expect("a response");
            assert!(response.status().is_success(), "{}", response.status());
            response.bytes().await.expect("a body");
            began.elapsed()
        }));
    }
    let mut durations = Vec::new();
    for request in requests {
        durations.push(request.await.expect("the request ended"));
    }
    durations
}

/// Waits until so many jobs have completed, as the API shows it.
async fn ended(system: &System, count: u32) {
    let began = Instant::now();
    let completed = "SELECT count(*) FROM status.jobs WHERE state = 'completed'";
    while system.database.count(completed).await < i64::from(count) {
        assert!(began.elapsed() < PATIENCE, "not all jobs have completed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How long after its acceptance each job's day began.
async fn first_days(system: &System) -> Vec<Duration> {
    let waits: Vec<f64> = sqlx::query_scalar(
        "SELECT extract(epoch FROM day.started_at - job.accepted_at)::float8
        FROM trigger.jobs job JOIN status.model_days day ON day.job_id = job.id
        WHERE day.experiment LIKE 'jobs-%'",
    )
    .fetch_all(&system.database.admin)
    .await
    .unwrap();
    assert_eq!(waits.len(), (PER_SECOND * SECONDS) as usize);
    waits.into_iter().map(|seconds| Duration::from_secs_f64(seconds.max(0.0))).collect()
}

/// What was done so far, as the servers and the services count it.
async fn steps(system: &System) -> Steps {
    let commits: i64 = sqlx::query_scalar("SELECT pg_current_xact_id()::text::bigint")
        .fetch_one(&system.database.admin)
        .await
        .unwrap();
    let published = system.counter(Service::Modelday, "messaging_client_sent_messages_total").await;
    let delivered = system.counter(Service::Modelday, "messaging_client_consumed_messages_total").await;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Steps { commits: commits as f64, published, delivered }
}
