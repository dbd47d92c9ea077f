//! In which trace a job, a model-day and a dead letter are found.

use axum::http::StatusCode;
use domain::events::event::{DaysSkipped, Event, ModelDayStarted};
use domain::simulation::model_day::{FailedDay, SkipReason, SkippedDate};
use serde_json::{Value, json};
use status::ApiSettings;

use crate::world::{World, completed, date, day, instant, job, job_id, settings};

const OF_JOB: &str = "11111111111111111111111111111111";
const OF_LANE: &str = "22222222222222222222222222222222";
const OF_FAILURE: &str = "33333333333333333333333333333333";

fn context(trace: &str) -> String {
    format!("00-{trace}-b7ad6b7169203331-01")
}

/// A job with a day in each state.
async fn world() -> World {
    let world = World::new().await;
    let settings =
        ApiSettings { trace_links: "https://traces.example/{trace_id}".parse().unwrap(), ..settings() };
    let world = World { routes: status::routes(world.pool.clone(), settings).into(), ..world };
    let job = job(1, &["a"], "2025-10-01", "2025-10-07");
    world.accept(&job).await;
    world.project_in(Some(&context(OF_JOB)), &[Event::JobRequested(job)]).await;
    let key = |on| day(1, "a", on, None, "1").key;
    let of_lane = [
        completed(day(1, "a", "2025-10-01", None, "10000")),
        Event::ModelDayStarted(ModelDayStarted {
            key: key("2025-10-02"),
            attempt: 1,
            started_at: instant(1),
        }),
        Event::ModelDayStarted(ModelDayStarted {
            key: key("2025-10-03"),
            attempt: 1,
            started_at: instant(1),
        }),
    ];
    world.project_in(Some(&context(OF_LANE)), &of_lane).await;
    let failed = FailedDay {
        key: key("2025-10-02"),
        attempt: 2,
        error: "no answer".to_owned(),
        started_at: instant(1),
        completed_at: instant(2),
        agent: None,
    };
    let skipped = DaysSkipped {
        job: job_id(1),
        experiment: "default".to_owned(),
        model: "a".to_owned(),
        trial: 0,
        dates: vec![SkippedDate { date: date("2025-10-06"), reason: SkipReason::MarketClosed }],
    };
    let rest = [Event::ModelDayFailed(failed), Event::ModelDaysSkipped(skipped)];
    world.project_in(Some(&context(OF_FAILURE)), &rest).await;
    world
}

fn trace(id: &str) -> Value {
    json!({ "trace_id": id, "trace_url": format!("https://traces.example/{id}") })
}

#[tokio::test]
async fn a_job_and_each_of_its_days_lead_to_their_trace() {
    let world = world().await;
    let of = async |query: &str| world.get(&format!("/jobs/{}/trace{query}", job_id(1))).await.json;

    assert_eq!(of("").await, trace(OF_JOB));
    let status = world.get(&format!("/jobs/{}", job_id(1))).await.json;
    assert_eq!(
        (&status["trace_id"], &status["trace_url"]),
        (&of("").await["trace_id"], &of("").await["trace_url"])
    );
    assert_eq!(of("?model=a&date=2025-10-01").await, trace(OF_LANE), "completed");
    assert_eq!(of("?model=a&date=2025-10-02").await, trace(OF_FAILURE), "failed at last");
    assert_eq!(of("?model=a&date=2025-10-03").await, trace(OF_LANE), "under way");
    let none = json!({ "trace_id": null, "trace_url": null });
    for unknown in [
        "model=a&date=2025-10-06",
        "model=a&date=2025-10-07",
        "model=b&date=2025-10-01",
        "model=a&trial=1&date=2025-10-01",
    ] {
        assert_eq!(of(&format!("?{unknown}")).await, none, "{unknown}");
    }
    for half in ["?model=a", "?date=2025-10-01", "?trial=1"] {
        let answer = world.get(&format!("/jobs/{}/trace{half}", job_id(1))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{half}");
    }
}

#[tokio::test]
async fn a_dead_letter_leads_to_the_trace_in_which_it_was_written() {
    let world = world().await;
    let letter = |headers: Value| {
        format!(
            "INSERT INTO status.dead_letters (fingerprint, reason, routing_key, headers, body, body_bytes, died_at)
             VALUES (gen_random_uuid()::text::bytea, 'why', 'k', '{headers}', '', 0, now())"
        )
    };
    world.database.execute(&letter(json!({ "traceparent": context(OF_LANE) }))).await;
    world.database.execute(&letter(json!({ "traceparent": "<script>" }))).await;
    world.database.execute(&letter(json!({}))).await;

    let letters = world.get("/dead-letters").await.json["dead_letters"].take();

    let traces =
        |name: &str| -> Vec<&Value> { letters.as_array().unwrap().iter().map(|one| &one[name]).collect() };
    assert_eq!(traces("trace_id"), [&Value::Null, &Value::Null, &trace(OF_LANE)["trace_id"]]);
    assert_eq!(traces("trace_url"), [&Value::Null, &Value::Null, &trace(OF_LANE)["trace_url"]]);
    let one = world.get(&format!("/dead-letters/{}", letters[2]["id"])).await.json;
    assert_eq!(one["trace_url"], trace(OF_LANE)["trace_url"]);
}
