//! The event log over HTTP: pages, and streams that miss nothing.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use domain::events::event::{DownloadStarted, Event, JobEnded, JobStarted};
use domain::job::{JobOutcome, Tally};
use futures::StreamExt as _;
use serde_json::json;
use storage::Owner;
use storage::status::ReceivedEvent;
use test_support::PATIENCE;
use tower::ServiceExt as _;

use crate::consuming::Running;
use crate::world::{World, completed, day, instant, job, job_id};

pub(crate) fn started(number: u128) -> Event {
    Event::JobStarted(JobStarted { job: job_id(number), lanes: 1, model_days: 1, outline: None })
}

pub(crate) fn ended(number: u128) -> Event {
    Event::JobEnded(JobEnded {
        job: job_id(number),
        outcome: JobOutcome::Completed,
        tally: Tally { completed: 1, ..Tally::default() },
        error: None,
        warnings: Vec::new(),
        ended_at: chrono::Utc::now(),
        outline: None,
    })
}

async fn two_jobs() -> World {
    let world = World::new().await;
    for number in [1, 2] {
        world.accept(&job(number, &["a"], "2025-10-01", "2025-10-01")).await;
    }
    world
}

/// A stream as its client reads it.
pub(crate) struct Reader {
    body: BodyDataStream,
    text: String,
}

impl Reader {
    pub(crate) async fn of(routes: &axum::Router, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = Request::get(path).header("Accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event as `id type`; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let read = field("id: ").zip(field("event: ")).map(|(id, kind)| format!("{id} {kind}"));
                self.text = rest.to_owned();
                match read {
                    Some(read) => return Some(read),
                    None => continue,
                }
            }
            let more = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("something comes")?;
            self.text.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }

    /// All events until the stream ends.
    async fn rest(mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

#[tokio::test]
async fn a_page_has_each_event_in_full_and_says_where_the_next_page_begins() {
    let world = two_jobs().await;
    world.project(&[started(1), started(2), completed(day(1, "a", "2025-10-01", None, "10000"))]).await;

    let page = world.get("/events?limit=2").await.json;
    let rest = world.get(&format!("/events?after={}", page["next_after"])).await.json;
    let of_job = world.get(&format!("/jobs/{}/events?after=1", job_id(1))).await.json;
    let nothing = world.get("/events?after=now").await.json;

    assert_eq!((&page["count"], &page["next_after"]), (&json!(2), &json!(2)));
    let event = &page["events"][1];
    assert_eq!((&event["position"], &event["number"]), (&json!(2), &json!(1)));
    assert_eq!(event["source"], "/modelday/executor");
    assert_eq!(event["subject"], job_id(2).to_string());
    assert_eq!(event["type"], "modelday.job.started.v1");
    assert_eq!(event["data"]["job_id"], job_id(2).to_string());
    assert_eq!((&rest["count"], &rest["events"][0]["position"]), (&json!(1), &json!(3)));
    assert_eq!((&of_job["count"], &of_job["events"][0]["position"]), (&json!(1), &json!(3)));
    assert_eq!(of_job["next_after"], 2, "the number within the job");
    assert_eq!(nothing, json!({ "count": 0, "events": [], "next_after": 3 }));
}

#[tokio::test]
async fn invalid_requests_are_refused_with_the_reason() {
    let world = two_jobs().await;
    world.project(&[started(1)]).await;
    let job = job_id(1);
    let detail = async |path: String| {
        let answer = world.get(&path).await;
        (answer.status.as_u16(), answer.json["detail"].as_str().unwrap().to_owned())
    };

    let beyond = "There are events up to 1 only, and none 7; begin again after 0".to_owned();
    assert_eq!(detail(format!("/jobs/{job}/events?after=7")).await, (409, beyond.clone()));
    assert_eq!(detail("/events?after=7".to_owned()).await, (409, beyond));
    assert_eq!(detail("/jobs/unknown/events".to_owned()).await, (404, "Job unknown not found".to_owned()));
    assert_eq!(
        detail(format!("/jobs/{}/events", job_id(9))).await,
        (404, format!("Job {} not found", job_id(9)))
    );
    let wrong = "query.after: Input should be 'now' or a whole number from 0, such as the id of an event";
    assert_eq!(detail("/events?after=soon".to_owned()).await, (422, wrong.to_owned()));
    let request = Request::get("/events").header("Last-Event-ID", "x").body(Body::empty()).unwrap();
    assert_eq!(world.raw(request).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_stream_waits_for_an_event_that_another_service_sends_after_the_jobs_end() {
    let world = two_jobs().await;
    let late = Event::DownloadStarted(DownloadStarted { job: job_id(1), symbols_total: 2 });
    let downloader = world.database.pool(Owner::Downloader).await;
    let message = runtime::outgoing::event(&late).unwrap();
    let sent = ReceivedEvent {
        source: "/modelday/downloader",
        id: message.event_id,
        kind: message.kind,
        at: instant(1),
        traceparent: None,
        body: &message.body.clone(),
        event: &late,
    };
    storage::outbox::write(&mut downloader.acquire().await.unwrap(), &[message]).await.unwrap();
    world.project(&[started(1), completed(day(1, "a", "2025-10-01", None, "10000")), ended(1)]).await;
    let path = format!("/jobs/{}/events", job_id(1));

    let mut whole = Reader::of(&world.routes, &path, None).await;
    for number in 1..=3 {
        assert!(whole.next().await.unwrap().starts_with(&format!("{number} ")));
    }
    let of_the_rest = Reader::of(&world.routes, &path, Some("3")).await;
    storage::status::project(&world.pool, &[sent]).await.unwrap();

    let last = ["4 modelday.data.download_started.v1".to_owned()];
    assert_eq!(whole.rest().await, last);
    assert_eq!(of_the_rest.rest().await, last);
}

#[tokio::test]
async fn a_client_that_has_seen_no_event_may_send_a_blank_id() {
    let world = two_jobs().await;

    for blank in ["", "  "] {
        let request = Request::get("/events")
            .header("Last-Event-ID", blank)
            .header("Accept", "application/json")
            .body(Body::empty())
            .unwrap();
        assert_eq!(world.raw(request).await.status(), StatusCode::OK, "{blank:?}");
    }
}

#[tokio::test]
async fn a_stream_of_an_ended_job_ends_and_a_later_one_is_empty() {
    let world = two_jobs().await;
    world.project(&[ended(1), started(1), completed(day(1, "a", "2025-10-01", None, "10000"))]).await;
    let path = format!("/jobs/{}/events", job_id(1));

    let all = Reader::of(&world.routes, &path, None).await.rest().await;
    let cut = Reader::of(&world.routes, &format!("{path}?after=0"), Some("2")).await.rest().await;
    let over = world.raw(Request::get(format!("{path}?after=3")).body(Body::empty()).unwrap()).await;

    let kinds =
        ["1 modelday.job.completed.v1", "2 modelday.job.started.v1", "3 modelday.model_day.completed.v1"];
    assert_eq!(all, kinds);
    assert_eq!(cut, kinds[2..], "the header stands over the parameter");
    assert_eq!(over.status(), StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_shows_what_another_process_projects_and_ends_once_all_days_are_counted() {
    let world = two_jobs().await;
    let running = Running::start(&world).await;
    let mut of_job = Reader::of(&running.routes, &format!("/jobs/{}/events", job_id(1)), None).await;
    let mut of_all = Reader::of(&running.routes, "/events?after=now", None).await;

    // Through a pool of the test's own, as a projector elsewhere would.
    world.project(&[started(1), started(2)]).await;
    assert_eq!(of_job.next().await.unwrap(), "1 modelday.job.started.v1");
    assert_eq!(of_all.next().await.unwrap(), "1 modelday.job.started.v1");
    assert_eq!(of_all.next().await.unwrap(), "2 modelday.job.started.v1");
    world.project(&[ended(1)]).await;
    assert_eq!(of_job.next().await.unwrap(), "2 modelday.job.completed.v1");
    world.project(&[completed(day(1, "a", "2025-10-01", None, "10000"))]).await;

    assert_eq!(of_job.rest().await, ["3 modelday.model_day.completed.v1"]);
    assert_eq!(of_all.next().await.unwrap(), "3 modelday.job.completed.v1");
    assert_eq!(of_all.next().await.unwrap(), "4 modelday.model_day.completed.v1");
    running.stop().await;
    assert_eq!(of_all.next().await, None, "a process that stops lets its streams go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_continues_without_announcements() {
    let world = two_jobs().await;
    world.database.execute("DROP TRIGGER announce_events ON status.feed").await;
    let running = Running::start(&world).await;
    let mut stream = Reader::of(&running.routes, "/events", None).await;

    world.project(&[started(1)]).await;
    assert_eq!(stream.next().await.unwrap(), "1 modelday.job.started.v1");
    world.project(&[started(2)]).await;
    assert_eq!(stream.next().await.unwrap(), "2 modelday.job.started.v1");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_begins_while_the_reader_is_idle_misses_nothing() {
    let world = two_jobs().await;
    world.database.execute("DROP TRIGGER announce_events ON status.feed").await;
    let running = Running::start(&world).await;
    let mut first = Reader::of(&running.routes, "/events", None).await;
    world.project(&[started(1)]).await;
    assert_eq!(first.next().await.unwrap(), "1 modelday.job.started.v1");
    drop(first);
    // Longer than the reader takes to notice that there is no stream.
    tokio::time::sleep(Duration::from_millis(2_500)).await;

    let mut second = Reader::of(&running.routes, "/events?after=1", None).await;
    // It has nothing to show, and has found that out.
    assert!(tokio::time::timeout(Duration::from_millis(100), second.next()).await.is_err());
    world.project(&[started(2)]).await;

    assert_eq!(second.next().await.unwrap(), "2 modelday.job.started.v1");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_not_read_for_long_misses_nothing_and_delays_no_other() {
    let world = two_jobs().await;
    let running = Running::start(&world).await;
    let mut lazy = Reader::of(&running.routes, "/events", None).await;
    let mut eager = Reader::of(&running.routes, "/events", None).await;
    world.project(&[started(1)]).await;
    assert_eq!(lazy.next().await.unwrap(), "1 modelday.job.started.v1");
    assert_eq!(eager.next().await.unwrap(), "1 modelday.job.started.v1");

    // Far more commits than a stream may lag behind.
    for position in 2..=300 {
        world.project(&[started(1)]).await;
        assert_eq!(eager.next().await.unwrap(), format!("{position} modelday.job.started.v1"));
    }

    for position in 2..=300 {
        assert_eq!(lazy.next().await.unwrap(), format!("{position} modelday.job.started.v1"));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_stream_without_events_sends_heartbeats() {
    let world = two_jobs().await;
    let mut settings = crate::world::settings();
    settings.heartbeat = Duration::from_millis(10);
    let routes = axum::Router::from(status::routes(world.pool.clone(), settings));
    let mut stream = Reader::of(&routes, "/events", None).await;

    let mut seen = String::new();
    while !seen.contains(":\n\n:\n\n") {
        seen.push_str(std::str::from_utf8(&stream.body.next().await.unwrap().unwrap()).unwrap());
    }

    assert_eq!(seen, "retry: 1000\n\n:\n\n:\n\n");
}
