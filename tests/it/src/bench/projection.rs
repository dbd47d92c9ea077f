//! Events projected per second by the one of two status processes that is at work, from a queue that is never empty. The
//! floor is one connection that stores the same rows, 500 at a time, while nothing else runs.

use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use it::{Service, Shape, System, http};
use serde_json::{Value, json};
use test_support::TestVhost;
use uuid::Uuid;

use crate::history::with_template;
use crate::measure::Line;
use crate::throughput::MODELS;

const JOBS: u128 = 10;
const DAYS: u64 = 500;
/// Events that are published, and rows that the floor stores, at once.
const BATCH: usize = 500;
/// Time between two samples.
const SAMPLED: Duration = Duration::from_millis(20);
const KIND: &str = "modelday.model_day.completed.v1";

/// What was seen while the events were projected.
struct Seen {
    rate: f64,
    samples: usize,
    /// Samples in which a statement waited for a lock.
    waits: usize,
    /// Requests that the two processes answered meanwhile.
    reads: usize,
}

pub(crate) async fn measure() -> Vec<Line> {
    let (mut system, template) = with_template(Shape::FourProcesses).await;
    for service in [Service::Trigger, Service::Downloader, Service::Executor, Service::Status] {
        system.kill(service);
    }
    let before: i64 = system.database.count("SELECT last_position FROM status.feed").await;
    let count = queue(&system, &template).await;

    system.launch(Service::Status);
    let urls = [system.client.status_url.clone(), system.launch_second(Service::Status)];
    let seen = project(&system, &urls, before, count).await;
    system.kill(Service::Status);
    system.kill_seconds();
    let floor = floor(&system, before).await;
    let Seen { rate, samples, waits, reads } = seen;
    vec![
        Line {
            what: "events projected per second, with two status processes (floor: 1 connection stores the same rows)",
            ours: format!("{rate:.0} /s"),
            floor: format!("{floor:.0} /s"),
            ratio: Some(rate / floor),
            target: "at least 5,000 /s",
        },
        Line {
            what: "samples meanwhile in which a statement waited for a lock (floor: all samples)",
            ours: format!("{waits}"),
            floor: format!("{samples}, {reads} reads answered"),
            ratio: None,
            target: "0",
        },
    ]
}

/// Puts events like that of a day of the template's job into the queue of status; returns how many.
async fn queue(system: &System, template: &str) -> i64 {
    let body = "SELECT body FROM status.events WHERE job_id = $1::uuid AND kind = $2
        AND body::jsonb #>> '{key,model}' = 'random-1' AND body::jsonb #>> '{key,trading_date}' = '2016-05-03'";
    let body: String =
        sqlx::query_scalar(body).bind(template).bind(KIND).fetch_one(&system.database.admin).await.unwrap();
    let mut body: Value = serde_json::from_str(&body).unwrap();
    let first: NaiveDate = "2017-01-03".parse().unwrap();
    let mut events = Vec::new();
    let ids: Vec<Uuid> = (0..JOBS).map(|number| Uuid::from_u128((0x0199 << 112) + number)).collect();
    for job in &ids {
        sqlx::query("INSERT INTO trigger.jobs (id, body, accepted_at) SELECT $1, replace(body, $2, $1::text), now() FROM trigger.jobs WHERE id = $2::uuid")
            .bind(job)
            .bind(template)
            .execute(&system.database.admin)
            .await
            .unwrap();
    }
    for day in 0..DAYS {
        let date = first + Days::new(day);
        body["base"] = match day {
            0 => Value::Null,
            _ => json!({ "trading_date": date - Days::new(1), "revision": 1 }),
        };
        for (job, (model, _)) in ids.iter().flat_map(|job| MODELS.iter().map(move |model| (job, model))) {
            body["revision"] = json!(1);
            body["key"] =
                json!({ "job_id": job, "experiment": job.to_string(), "model": model, "trading_date": date });
            events.push(TestVhost::event("/modelday/executor", KIND, body.to_string().as_bytes()));
        }
    }
    let publisher = system.vhost.as_ref().unwrap().publisher();
    for batch in events.chunks(BATCH) {
        let published = publisher.publish_in_order(batch).await;
        assert!(published.failure.is_none(), "{:?}", published.failure);
    }
    i64::try_from(events.len()).unwrap()
}

/// Waits until so many events are projected, from the moment that the first ones are.
async fn project(system: &System, urls: &[String], before: i64, count: i64) -> Seen {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let http = http();
    let (mut began, mut samples, mut waits, mut reads) = (None, 0, 0, 0);
    loop {
        let known = system.database.count("SELECT last_position FROM status.feed").await - before;
        let (since, first) = match began {
            Some(began) => began,
            None if known > 0 => *began.insert((Instant::now(), known)),
            None => {
                tokio::time::sleep(SAMPLED).await;
                continue;
            }
        };
        if known >= count {
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let rate = (known - first) as f64 / since.elapsed().as_secs_f64();
            return Seen { rate, samples, waits, reads };
        }
        samples += 1;
        waits += usize::from(system.database.count(waiting).await > 0);
        if samples % 10 == 0 {
            for url in urls {
                let answer = http.get(format!("{url}/jobs?limit=1")).send().await;
                reads += usize::from(answer.is_ok_and(|answer| answer.status().is_success()));
            }
        }
        tokio::time::sleep(SAMPLED).await;
    }
}

/// How many rows a second one connection stores into tables like those of status.
async fn floor(system: &System, before: i64) -> f64 {
    for table in ["events", "model_days"] {
        let copy = format!("CREATE TABLE public.{table} (LIKE status.{table} INCLUDING ALL)");
        system.database.execute(&copy).await;
    }
    let last = system.database.count("SELECT last_position FROM status.feed").await;
    let began = Instant::now();
    let mut from = before;
    while from < last {
        let until = last.min(from + i64::try_from(BATCH).unwrap());
        let statement = format!(
            "WITH events AS (
                INSERT INTO public.events SELECT * FROM status.events WHERE position > {from} AND position <= {until}
                RETURNING source, id
            )
            INSERT INTO public.model_days
            SELECT day.* FROM events
            JOIN status.events event USING (source, id)
            JOIN status.model_days day ON day.job_id = event.job_id
                AND day.trading_date = (event.body::jsonb #>> '{{key,trading_date}}')::date
                AND day.model = event.body::jsonb #>> '{{key,model}}' AND day.trial = 0"
        );
        system.database.execute(&statement).await;
        from = until;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let count = (last - before) as f64;
    count / began.elapsed().as_secs_f64()
}
