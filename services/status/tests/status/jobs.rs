//! Status, lists and pages of jobs.

use domain::events::event::{DaysSkipped, DownloadStarted, Event, JobEnded, JobStarted, ModelDayStarted};
use domain::job::warning::Warning;
use domain::job::{JobOutcome, Tally};
use domain::simulation::model_day::{SkipReason, SkippedDate};
use serde_json::json;

use crate::world::{World, completed, date, day, instant, job, job_id};

/// A job of two models over four weekdays, part of it done.
async fn half_done() -> World {
    let world = World::new().await;
    let job = job(1, &["b", "a"], "2025-10-01", "2025-10-06");
    world.accept(&job).await;
    let started = day(1, "b", "2025-10-02", Some("2025-10-01"), "10000");
    let (id, key) = (job.id, started.key);
    let dates = vec![SkippedDate { date: date("2025-10-03"), reason: SkipReason::IncompletePriceData }];
    let (experiment, model) = ("default".to_owned(), "a".to_owned());
    world
        .project(&[
            Event::JobRequested(job),
            Event::DownloadStarted(DownloadStarted { job: id, symbols_total: 15 }),
            Event::JobStarted(JobStarted { job: id, lanes: 2, model_days: 7, outline: None }),
            completed(day(1, "b", "2025-10-01", None, "10000")),
            Event::ModelDayStarted(ModelDayStarted { key, attempt: 1, started_at: instant(8) }),
            Event::ModelDaysSkipped(DaysSkipped { job: id, experiment, model, trial: 0, dates }),
        ])
        .await;
    world
}

#[tokio::test]
async fn the_status_shows_every_requested_weekday_and_what_is_known_about_it() {
    let world = half_done().await;

    let answer = world.get(&format!("/simulate/status/{}", job_id(1))).await;

    let status = answer.json;
    assert_eq!(status["status"], "running");
    assert_eq!(
        status["progress"],
        json!({"total_model_days": 8, "completed": 1, "failed": 0, "pending": 5, "running": 1, "skipped": 1})
    );
    assert_eq!(status["date_range"], json!(["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"]));
    assert_eq!(status["models"], json!(["b", "a"]));
    assert_eq!(status["created_at"], "2025-10-30T15:00:00.250000Z");
    assert_eq!(status["started_at"], "2025-10-30T15:00:01.250000Z");
    assert_eq!(status["download"], json!({"symbols_total": 15, "symbols_done": 0, "budget": null}));
    assert_eq!((&status["deployment_mode"], &status["is_dev_mode"]), (&json!("PROD"), &json!(false)));
    for unknown in
        ["completed_at", "total_duration_seconds", "error", "warnings", "waiting_for", "stale_days"]
    {
        assert_eq!(status[unknown], json!(null), "{unknown}");
    }
    let details = status["details"].as_array().unwrap();
    let brief: Vec<_> = details
        .iter()
        .map(|detail| format!("{} {} {}", detail["date"], detail["model"], detail["status"]).replace('"', ""))
        .collect();
    assert_eq!(
        brief,
        [
            "2025-10-01 a pending",
            "2025-10-01 b completed",
            "2025-10-02 a pending",
            "2025-10-02 b running",
            "2025-10-03 a skipped",
            "2025-10-03 b pending",
            "2025-10-06 a pending",
            "2025-10-06 b pending",
        ]
    );
    assert_eq!(details[1]["duration_seconds"], 2.0);
    assert_eq!(details[4]["error"], "Incomplete price data");
}

#[tokio::test]
async fn the_end_is_shown_with_its_warnings_once_every_day_is_known() {
    let world = World::new().await;
    let job = job(1, &["a"], "2025-10-01", "2025-10-02");
    world.accept(&job).await;
    let ended = JobEnded {
        job: job.id,
        outcome: JobOutcome::Completed,
        tally: Tally { completed: 2, ..Tally::default() },
        error: None,
        warnings: vec![Warning::rate_limited(12, 15)],
        ended_at: instant(90),
        outline: None,
    };
    let first = completed(day(1, "a", "2025-10-01", None, "10000"));
    world.project(&[Event::JobRequested(job), Event::JobEnded(ended), first]).await;
    let path = format!("/simulate/status/{}", job_id(1));

    let before = world.get(&path).await.json;
    world.project(&[completed(day(1, "a", "2025-10-02", None, "10000"))]).await;
    let after = world.get(&path).await.json;

    assert_eq!((&before["status"], &before["completed_at"]), (&json!("running"), &json!(null)));
    assert_eq!(after["status"], "completed");
    assert_eq!(after["completed_at"], "2025-10-30T15:01:30.250000Z");
    assert_eq!(after["total_duration_seconds"], 90.0);
    assert_eq!(after["warnings"], json!(["Rate limit reached - downloaded 12/15 symbols"]));
    assert_eq!(after["warning_details"][0]["code"], "RATE_LIMITED");
    assert_eq!(after["stale_days"], 1, "the second day does not stand on the first");
}

#[tokio::test]
async fn an_accepted_job_is_never_unknown_and_others_always_are() {
    let world = World::new().await;
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;

    let accepted = world.get(&format!("/jobs/{}", job_id(1))).await;

    assert_eq!((accepted.status.as_u16(), &accepted.json["status"]), (200, &json!("pending")));
    assert_eq!(accepted.json["details"][0]["status"], "pending");
    for unknown in [job_id(2).to_string(), "x".to_owned(), "%00".to_owned()] {
        for path in [format!("/simulate/status/{unknown}"), format!("/jobs/{unknown}/model-days")] {
            let answer = world.get(&path).await;
            let shown = unknown.replace("%00", "\0");
            assert_eq!(
                (answer.status.as_u16(), &answer.json["detail"]),
                (404, &json!(format!("Job {shown} not found")))
            );
        }
    }
}

#[tokio::test]
async fn pages_of_model_days_follow_each_other_without_gap_or_overlap() {
    let world = half_done().await;
    let all = world.get(&format!("/simulate/status/{}", job_id(1))).await.json["details"].clone();
    let base = format!("/jobs/{}/model-days", job_id(1));

    let (mut found, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let page = world.get(&format!("{base}{query}")).await.json;
        found.extend(page["model_days"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let pending = world.get(&format!("{base}?status=pending&model=a")).await.json;
    let skipped = world.get(&format!("{base}?status=skipped")).await.json;

    assert_eq!(json!(found), all);
    assert_eq!((&pending["count"], &pending["next_cursor"]), (&json!(3), &json!(null)));
    assert_eq!(skipped["model_days"], json!([all[4]]));
}

#[tokio::test]
async fn jobs_are_listed_newest_first_and_invalid_parameters_are_named() {
    let world = half_done().await;
    world.accept(&job(2, &["c"], "2025-10-01", "2025-10-01")).await;

    let first = world.get("/jobs?limit=1").await.json;
    let rest =
        world.get(&format!("/jobs?cursor={}&unknown=1", first["next_cursor"].as_str().unwrap())).await.json;
    let running = world.get("/jobs?status=running&model=b").await.json;
    let wrong = world.get("/jobs?status=done&limit=x&cursor=y").await;

    assert_eq!(first["jobs"][0]["job_id"], job_id(2).to_string());
    assert_eq!((&rest["count"], &rest["jobs"][0]["job_id"]), (&json!(1), &json!(job_id(1).to_string())));
    assert_eq!(rest["next_cursor"], json!(null));
    assert_eq!(running["jobs"], rest["jobs"]);
    assert_eq!(wrong.status.as_u16(), 422);
    assert_eq!(wrong.json["errors"].as_array().unwrap().len(), 3);
    assert_eq!(wrong.json["errors"][0]["loc"], json!(["query", "status"]));
}
