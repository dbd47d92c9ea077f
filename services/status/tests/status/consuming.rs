//! Events and dead letters from the broker, and from the outboxes when the broker has lost them.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use domain::events::event::{Event, JobEnded, JobStarted};
use domain::job::warning::Warning;
use domain::job::{JobOutcome, Tally};
use messaging::topology::{self, queues};
use runtime::CancellationToken;
use runtime::address::Address;
use runtime::infrastructure::Infrastructure;
use serde_json::{Value, json};
use status::Config;
use test_support::{Counts, TestVhost, eventually};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::world::{World, completed, day, job, job_id, settings};

/// The service at work.
pub(crate) struct Running {
    pub(crate) vhost: TestVhost,
    pub(crate) routes: axum::Router,
    config: Config,
    stop: CancellationToken,
    work: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub(crate) async fn start(world: &World) -> Self {
        let vhost = TestVhost::new();
        let infrastructure = Infrastructure {
            address: Address::loopback(0),
            database: world.database.settings(storage::Owner::Status),
            broker: vhost.settings(),
            deployment: settings().deployment,
            schemas: settings().schemas,
            outbox_retention: runtime::retention::Retention::days(7),
        };
        let stop = CancellationToken::new();
        let config = Config { infrastructure, dead_letter_days: 90, api: settings() };
        let service = status::build(config.clone(), stop.clone()).unwrap();
        let routes = axum::Router::from(service.routes.clone());
        let address = config.infrastructure.address.clone();
        let listener = runtime::http::bind(address.listen).unwrap();
        let started = service.health.started();
        let work = {
            let stop = stop.clone();
            async move { service.run(listener, address, OpenApiRouter::new(), &stop).await }
        };
        let work = tokio::spawn(work);
        started.cancelled().await;
        Self { vhost, routes, config, stop, work }
    }

    /// What the service at work answers.
    pub(crate) async fn post(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::post(path).body(Body::empty()).unwrap();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.work.await.unwrap().unwrap();
    }
}

fn events() -> [Event; 3] {
    let job = job(1, &["a"], "2025-10-01", "2025-10-01");
    let started = JobStarted { job: job.id, lanes: 1, model_days: 1, outline: None };
    [
        Event::JobRequested(job),
        Event::JobStarted(started),
        completed(day(1, "a", "2025-10-01", None, "10000")),
    ]
}

async fn until_completed(world: &World, completed: u64) {
    eventually("the day is known", async || {
        let status = world.get(&format!("/simulate/status/{}", job_id(1))).await.json;
        (status["progress"]["completed"] == completed).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_projected_becomes_a_dead_letter_and_the_next_is_projected() {
    let world = World::new().await;
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;
    let running = Running::start(&world).await;
    let stranger = contract::encode_event(&Event::JobStarted(JobStarted {
        job: job_id(9),
        lanes: 1,
        model_days: 1,
        outline: None,
    }))
    .unwrap();
    eventually("the queues are there", async || {
        let publisher = messaging::Publisher::new(running.vhost.settings(), "probe");
        publisher.connect().await.ok()
    })
    .await;

    running.vhost.publish_bytes(topology::EVENTS, "modelday.job.started.v1", b"\0garbage\xff").await;
    running.vhost.publish_event("modelday.job.started.v2", stranger.as_bytes()).await;
    running.vhost.publish_event(contract::kind::JOB_STARTED, b"{").await;
    running.vhost.publish_event(contract::kind::JOB_STARTED, stranger.as_bytes()).await;
    running.vhost.publish_bytes(topology::EVENTS, "modelday.noise", &vec![7; 1_048_576]).await;
    for event in events() {
        let body = contract::encode_event(&event).unwrap();
        running.vhost.publish_event(contract::kind::of(&event), body.as_bytes()).await;
    }

    until_completed(&world, 1).await;
    let letters = eventually("five dead letters", async || {
        let letters = world.get("/dead-letters").await.json;
        (letters["count"] == 5).then_some(letters)
    })
    .await;
    let reasons = letters["dead_letters"].to_string();
    for reason in ["unknown message type", "does not parse", "was never accepted", "is missing"] {
        assert!(reasons.contains(reason), "{reason} is not in {reasons}");
    }
    let noise =
        letters["dead_letters"].as_array().unwrap().iter().find(|letter| letter["body_bytes"] == 1_048_576);
    assert_eq!(noise.unwrap()["body_truncated"], true);
    let page = world.get("/dead-letters?limit=2").await.json;
    let rest =
        world.get(&format!("/dead-letters?cursor={}", page["next_cursor"].as_str().unwrap())).await.json;
    assert_eq!((&page["count"], &rest["count"]), (&json!(2), &json!(3)));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_the_broker_lost_are_taken_from_the_outboxes() {
    let world = World::new().await;
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;
    for event in events() {
        let kind = contract::kind::of(&event);
        let schema = if kind == contract::kind::JOB_REQUESTED { "trigger" } else { "execution" };
        let insert = format!(
            "INSERT INTO {schema}.outbox (event_id, kind, exchange, routing_key, job_id, body, sent_at)
            VALUES ($1, $2, $3, $2, $4, $5, now())"
        );
        sqlx::query(sqlx::AssertSqlSafe(insert))
            .bind(Uuid::now_v7())
            .bind(kind)
            .bind(topology::EVENTS)
            .bind(job_id(1).0)
            .bind(contract::encode_event(&event).unwrap())
            .execute(&world.database.admin)
            .await
            .unwrap();
    }

    let running = Running::start(&world).await;

    until_completed(&world, 1).await;
    assert_eq!(world.database.count("SELECT count(*) FROM status.events").await, 3);
    assert_eq!(running.vhost.drain(queues::STATUS_PROJECTION).await.len(), 0);
    let config = running.config.clone();
    running.stop().await;

    world.database.execute("DELETE FROM status.model_days").await;
    assert_eq!(status::rebuild(&config).await.unwrap(), 1);
    until_completed(&world, 1).await;
    assert_eq!(world.database.count("SELECT count(*) FROM status.model_days").await, 1);
}

#[tokio::test]
async fn model_days_and_warnings_are_not_counted_again() {
    let counts = Counts::of_this_thread();
    let world = World::new().await;
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;
    let running = Running::start(&world).await;
    let ended = Event::JobEnded(JobEnded {
        job: job_id(1),
        outcome: JobOutcome::Completed,
        tally: Tally { completed: 1, ..Tally::default() },
        error: None,
        warnings: vec![Warning::rate_limited(1, 2)],
        ended_at: chrono::Utc::now(),
        outline: None,
    });

    for event in events().into_iter().chain([ended]) {
        let body = contract::encode_event(&event).unwrap();
        running.vhost.publish_event(contract::kind::of(&event), body.as_bytes()).await;
    }
    until_completed(&world, 1).await;
    eventually("the end is known", async || {
        (!counts.of("modelday_jobs_ended_total").is_empty()).then_some(())
    })
    .await;
    running.stop().await;

    let projected = "modelday_events_projected_total{type=\"modelday.model_day.completed.v1\"} 1".to_owned();
    assert!(counts.of("modelday_events_projected_total").contains(&projected));
    assert_eq!(counts.of("modelday_model_day_outcomes_total"), [""; 0]);
    assert_eq!(counts.of("modelday_warnings_total"), [""; 0]);
}
