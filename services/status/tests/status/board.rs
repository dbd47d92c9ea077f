//! What the pages of the board read beside the rest: filters of jobs, grids, failures, experiments, curves, samples.

use axum::body::Body;
use axum::http::Request;
use domain::events::event::{DaysSkipped, Event};
use domain::simulation::model_day::{FailedDay, SkipReason, SkippedDate};
use serde_json::{Value, json};

use crate::world::{World, completed, date, day, instant, job, job_id};

fn failed(number: u128, model: &str, on: &str, error: &str) -> Event {
    let key = day(number, model, on, None, "1").key;
    let error = error.to_owned();
    let (started_at, completed_at) = (instant(5), instant(7));
    Event::ModelDayFailed(FailedDay { key, attempt: 1, error, started_at, completed_at, agent: None })
}

#[tokio::test]
async fn jobs_are_found_by_experiment_and_text_and_counted_by_state() {
    let world = World::new().await;
    let mut second = job(2, &["GPT-5"], "2025-10-01", "2025-10-02");
    second.experiment = "other".to_owned();
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;
    world.accept(&second).await;
    world.project(&[Event::JobRequested(second.clone())]).await;
    let ids = async |query: &str| {
        let answer = world.get(&format!("/jobs?{query}")).await.json;
        let ids: Vec<&str> =
            answer["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap()).collect();
        ids.join(",")
    };
    let [one, two] = [1, 2].map(|number| job_id(number).to_string());

    assert_eq!(ids("experiment=other").await, two);
    assert_eq!(ids("text=gpt").await, two);
    assert_eq!(ids("text=OTHER").await, two);
    assert_eq!(ids(&format!("text={one}")).await, one);
    assert_eq!(ids(&format!("ids={one},{two}")).await, format!("{two},{one}"));
    let counted = world.get("/jobs?counts=true&status=running&limit=1").await.json;
    assert_eq!((&counted["states"], &counted["count"]), (&json!({ "pending": 2 }), &json!(0)));
    assert_eq!(world.get("/jobs").await.json["states"], Value::Null);
    assert_eq!(world.get("/jobs?ids=x").await.status, 422);
}

#[tokio::test]
async fn a_grid_has_a_letter_for_each_model_day() {
    let world = World::new().await;
    let request = job(1, &["m", "n"], "2025-10-01", "2025-10-07");
    world.accept(&request).await;
    let skipped = |model: &str, on: &str, reason| {
        Event::ModelDaysSkipped(DaysSkipped {
            job: job_id(1),
            experiment: "default".to_owned(),
            model: model.to_owned(),
            trial: 0,
            dates: vec![SkippedDate { date: date(on), reason }],
        })
    };
    world
        .project(&[
            Event::JobRequested(request),
            completed(day(1, "m", "2025-10-01", None, "10000")),
            failed(1, "m", "2025-10-02", "no"),
            skipped("m", "2025-10-03", SkipReason::MarketClosed),
            skipped("m", "2025-10-06", SkipReason::AlreadyCompleted),
            skipped("n", "2025-10-01", SkipReason::IncompletePriceData),
        ])
        .await;
    let path = format!("/jobs/{}/grid", job_id(1));

    let grid = world.get(&path).await.json;
    let second = world.get(&format!("{path}?limit=1&after=1")).await.json;

    assert_eq!(grid["dates"].as_array().unwrap().len(), 5);
    assert_eq!(
        grid["lanes"],
        json!([{ "model": "m", "trial": 0, "states": "cfha." }, { "model": "n", "trial": 0, "states": "s...." }])
    );
    assert_eq!((&grid["next_after"], &grid["total_lanes"]), (&Value::Null, &json!(2)));
    assert_eq!(second["lanes"][0]["model"], "n");
    assert_eq!(world.get(&format!("{path}?limit=1")).await.json["next_after"], 1);
    assert_eq!(world.get(&format!("{path}?model=n")).await.json["total_lanes"], 1);
    assert_eq!(world.get("/jobs/x/grid").await.status, 404);
}

#[tokio::test]
async fn failures_that_differ_in_dates_and_long_numbers_have_one_cause() {
    let world = World::new().await;
    let request = job(1, &["m", "n"], "2025-10-01", "2025-10-07");
    world.accept(&request).await;
    world
        .project(&[
            Event::JobRequested(request),
            failed(1, "n", "2025-10-02", "request 7700123 of 2025-10-02: status 500"),
            failed(1, "m", "2025-10-03", "request 7700124 of 2025-10-03: status 500"),
            failed(1, "m", "2025-10-01", "request 7700125 of 2025-10-01: status 401"),
        ])
        .await;

    let answer = world.get(&format!("/jobs/{}/failures", job_id(1))).await.json;

    let first = json!({ "error": "request 7700123 of 2025-10-02: status 500", "days": 2, "models": ["m", "n"],
        "first_date": "2025-10-02", "last_date": "2025-10-03", "model": "n", "trial": 0 });
    assert_eq!((&answer["count"], &answer["failures"][0]), (&json!(2), &first));
}

#[tokio::test]
async fn experiments_are_those_with_a_completed_day() {
    let world = World::new().await;
    let mut other = day(2, "n", "2025-10-01", None, "10000");
    other.key.experiment = "other".to_owned();
    let mut second = job(2, &["n"], "2025-10-01", "2025-10-01");
    second.experiment = "other".to_owned();
    let first = job(1, &["m", "n"], "2025-10-01", "2025-10-01");
    world.accept(&first).await;
    world.accept(&second).await;
    world
        .project(&[
            Event::JobRequested(first),
            Event::JobRequested(second),
            completed(day(1, "m", "2025-10-01", None, "10000")),
            completed(day(1, "n", "2025-10-01", None, "10000")),
            completed(other),
        ])
        .await;

    let answer = world.get("/experiments").await.json;
    let page = world.get("/experiments?limit=1").await.json;

    assert_eq!(answer["experiments"][0], json!({ "experiment": "default", "models": 2, "portfolios": 2 }));
    assert_eq!((&answer["count"], &answer["next_cursor"]), (&json!(2), &Value::Null));
    assert_eq!((&page["count"], &page["next_cursor"]), (&json!(1), &json!("default")));
    assert_eq!(world.get("/experiments?cursor=default").await.json["experiments"][0]["experiment"], "other");
}

#[tokio::test]
async fn curves_begin_at_the_starting_value_and_say_from_where_they_are_stale() {
    let world = World::new().await;
    let request = job(1, &["m"], "2025-10-01", "2025-10-03");
    world.accept(&request).await;
    world
        .project(&[
            Event::JobRequested(request),
            completed(day(1, "m", "2025-10-01", None, "10100")),
            completed(day(1, "m", "2025-10-02", None, "9000")),
            completed(day(1, "m", "2025-10-03", Some("2025-10-02"), "10500")),
        ])
        .await;

    let curves = world.get("/leaderboard/curves").await.json;
    let ends = world.get("/leaderboard/curves?points=2").await.json;
    let board = world.get("/leaderboard").await.json;

    let curve = &curves["curves"][0];
    assert_eq!(curves["dates"], json!(["2025-10-01", "2025-10-02", "2025-10-03"]));
    assert_eq!(curve["values"], json!([0.01, -0.1, 0.05]));
    assert_eq!(
        (&curve["stale_from"], &board["rows"][0]["stale_from"]),
        (&json!("2025-10-02"), &json!("2025-10-02"))
    );
    assert_eq!((&ends["dates"], &ends["total_dates"]), (&json!(["2025-10-01", "2025-10-03"]), &json!(3)));
}

#[tokio::test]
async fn a_sample_of_positions_has_the_first_and_the_last_day() {
    let world = World::new().await;
    let days = ["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"];
    let completed = days.iter().map(|on| completed(day(1, "m", on, None, "10000")));
    let request = job(1, &["m"], "2025-10-01", "2025-10-06");
    world.accept(&request).await;
    let request = Event::JobRequested(request);
    world.project(&std::iter::once(request).chain(completed).collect::<Vec<_>>()).await;

    let rows = world.get("/positions?sample=2").await.json;

    let dates: Vec<&str> =
        rows["positions"].as_array().unwrap().iter().map(|row| row["date"].as_str().unwrap()).collect();
    assert_eq!(dates, ["2025-10-01", "2025-10-06"]);
}

#[tokio::test]
async fn a_page_of_the_board_that_did_not_change_has_no_body() {
    let world = World::new().await;
    let get = async |tag: &str| {
        let request = Request::get("/board/jobs").header("if-none-match", tag).body(Body::empty()).unwrap();
        world.raw(request).await
    };
    let tag = get("\"other\"").await.headers()["etag"].to_str().unwrap().to_owned();

    assert_eq!(get(&tag).await.status(), 304);
    assert_eq!(get(&format!("\"x\", W/{tag}")).await.status(), 304);
}
