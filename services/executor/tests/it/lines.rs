//! Large jobs: planned in parts, fed to the queue a few lanes at a time, and beside others.

use domain::events::event::Event;
use domain::job::{Job, JobOutcome, Priority};
use domain::simulation::model_day::SkipReason;
use domain::values::ids::JobId;
use executor::Config;
use sqlx::Transaction;
use sqlx_postgres::Postgres;
use test_support::eventually;

use crate::scene::{completed, job, ready, sessions, skipped};
use crate::stage::{Running, Stage};

/// A job of so many lanes, in an experiment of its own.
fn wide(experiment: &str, lanes: u32, start: &str, end: &str) -> Job {
    let mut job = job(&["cash"], start, end);
    job.experiment = experiment.to_owned();
    job.models[0].trials = lanes;
    job
}

/// Locks the portfolio of a trial, so that its part of a plan waits.
async fn hold_portfolio(stage: &Stage, job: &Job, trial: u32) -> Transaction<'static, Postgres> {
    let made = format!(
        "INSERT INTO execution.portfolios (id, experiment, model, trial)
         VALUES (gen_random_uuid(), '{}', 'cash', {trial})",
        job.experiment
    );
    stage.database.execute(&made).await;
    let mut held = stage.database.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM execution.portfolios FOR UPDATE").execute(&mut *held).await.unwrap();
    held
}

/// Starts to plan a job of ten lanes in parts of four, and dies in the second part.
async fn plan_in_part(stage: &Stage, job: &Job) -> Config {
    let config = || Config { portfolios_planned_at_once: 4, ..stage.config() };
    let held = hold_portfolio(stage, job, 5).await;
    let planner = Running::start(config()).await;
    stage.announce(&ready(job)).await;
    let planned = "SELECT coalesce(max(planned_portfolios), 0)::bigint FROM execution.jobs";
    eventually("four lanes are planned", async || (stage.database.count(planned).await == 4).then_some(()))
        .await;
    planner.kill_and_wait().await;
    held.rollback().await.unwrap();
    config()
}

#[tokio::test]
async fn a_plan_whose_planner_dies_between_two_parts_is_completed_by_the_next_one() {
    let stage = Stage::new().await;
    let job = wide("wide", 10, "2025-10-01", "2025-10-03");
    let config = plan_in_part(&stage, &job).await;
    assert!(stage.events(job.id).await.is_empty(), "the lanes wait until all are planned");

    let executor = Running::start(config).await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    let started: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::JobStarted(started) => Some((started.lanes, started.model_days)),
            _ => None,
        })
        .collect();
    assert_eq!(started, [(10, 30)]);
    let mut trials: Vec<u32> = completed(&events).iter().map(|day| day.key.trial).collect();
    trials.sort_unstable();
    assert_eq!(trials, (0..10).flat_map(|trial| [trial; 3]).collect::<Vec<_>>());
    assert_eq!((end.outcome, end.tally.days()), (JobOutcome::Completed, 30));
}

#[tokio::test]
async fn a_job_that_is_cancelled_between_two_parts_of_its_plan_ends_without_a_day() {
    let stage = Stage::new().await;
    let job = wide("wide", 10, "2025-10-01", "2025-10-03");
    let config = plan_in_part(&stage, &job).await;
    stage.cancel_silently(job.id).await;

    let executor = Running::start(config).await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!((end.outcome, end.tally.skipped, end.tally.days()), (JobOutcome::Cancelled, 30, 30));
    let cancelled = skipped(&events).into_iter().filter(|day| day.reason == SkipReason::Cancelled);
    assert_eq!(cancelled.count(), 30);
    assert!(!events.iter().any(|event| matches!(event, Event::JobStarted(_))), "{events:?}");
    let left = "SELECT count(*) FROM execution.lanes WHERE state <> 'finished'";
    assert_eq!(stage.database.count(left).await, 0);
}

/// How many days of `other` were committed between the start and the end of `job`. Each was a turn.
async fn turns_beside(stage: &Stage, other: JobId, job: JobId) -> i64 {
    let of = |kind: &str| {
        format!(
            "SELECT min(id) FROM execution.outbox WHERE job_id = '{job}' AND kind LIKE 'modelday.job.{kind}'"
        )
    };
    let (started, ended) = (of("started%"), of("completed%"));
    let turns = format!(
        "SELECT count(*) FROM execution.outbox
         WHERE job_id = '{other}' AND kind = 'modelday.model_day.completed.v1'
             AND id > ({started}) AND id < ({ended})"
    );
    stage.database.count(&turns).await
}

/// One worker, a turn for each day, and few places in line.
fn narrow(stage: &Stage) -> Config {
    Config { lanes_at_once: 1, turns_in_line: 4, ..stage.day_by_day() }
}

#[tokio::test]
async fn a_small_job_beside_a_large_one_waits_for_a_few_of_its_lanes_and_not_for_all() {
    let stage = Stage::new().await;
    let executor = Running::start(narrow(&stage)).await;
    let large = wide("large", 100, "2025-02-03", "2025-11-28");
    let mut small = job(&["cash"], "2025-10-01", "2025-10-14");
    small.experiment = "small".to_owned();
    stage.announce(&ready(&large)).await;
    stage.until_completed(large.id, 5).await;

    stage.announce(&ready(&small)).await;
    let (_, end) = stage.end_of(small.id).await;
    let turns = turns_beside(&stage, large.id, small.id).await;
    let running =
        format!("SELECT count(*) FROM execution.jobs WHERE id = '{}' AND state = 'running'", large.id);
    assert_eq!(stage.database.count(&running).await, 1);
    stage.cancel(large.id).await;
    stage.end_of(large.id).await;
    executor.stop().await;

    assert_eq!(end.tally.completed as usize, sessions("2025-10-01", "2025-10-14").len());
    // In one line with all lanes, each of its ten turns would wait for a hundred others.
    assert!(turns < 500, "{turns} turns of the large job");
}

#[tokio::test]
async fn a_job_of_a_higher_priority_has_the_line_for_itself() {
    let stage = Stage::new().await;
    let executor = Running::start(narrow(&stage)).await;
    let mut low = wide("low", 50, "2025-02-03", "2025-11-28");
    low.options.priority = Priority::Low;
    let high = wide("high", 50, "2025-10-01", "2025-10-03");
    stage.announce(&ready(&low)).await;
    stage.until_completed(low.id, 5).await;

    stage.announce(&ready(&high)).await;
    let (_, end) = stage.end_of(high.id).await;
    let turns = turns_beside(&stage, low.id, high.id).await;
    stage.cancel(low.id).await;
    stage.end_of(low.id).await;
    executor.stop().await;

    assert_eq!(end.tally.completed, 150);
    // With the same number of places it would have as many turns as the other, until its lanes are done.
    assert!(turns < 50, "{turns} turns of the job of low priority");
}
