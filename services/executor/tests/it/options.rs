//! Options of a job: replacing days, running stale ones again, stopping after a failure.

use domain::events::event::Event;
use domain::job::warning::code;
use domain::job::{Job, JobOutcome, OnFailure};
use domain::simulation::model_day::{DayRef, SkipReason};

use crate::scene::{assert_chain, completed, dates, day, job, ready, sessions, skipped};
use crate::stage::{Running, Stage, texts, turn};

async fn run(stage: &Stage, job: &Job) -> (Vec<Event>, domain::events::event::JobEnded) {
    stage.announce(&ready(job)).await;
    stage.end_of(job.id).await
}

fn codes(end: &domain::events::event::JobEnded) -> Vec<&str> {
    end.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[tokio::test]
async fn replaced_days_make_the_later_ones_stale_and_those_can_be_run_again() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let (first, _) = run(&stage, &job(&["random"], "2025-10-01", "2025-10-10")).await;
    let mut replacing = job(&["random"], "2025-10-02", "2025-10-03");
    replacing.options.replace_existing = true;
    let mut again = job(&["random"], "2025-10-01", "2025-10-10");
    again.options.reprocess_stale = true;

    let (replaced, end) = run(&stage, &replacing).await;

    let days = completed(&replaced);
    assert_eq!(texts(&dates(&days)), ["2025-10-02", "2025-10-03"]);
    assert!(days.iter().all(|day| day.revision == 2), "{days:?}");
    let base = |index: usize| days[index].base.unwrap();
    assert_eq!(base(0), DayRef { date: day("2025-10-01"), revision: 1 });
    assert_eq!(base(1), DayRef { date: day("2025-10-02"), revision: 2 });
    assert_eq!(codes(&end), [code::STALE_DAYS]);
    assert_eq!(end.warnings[0].dates, sessions("2025-10-06", "2025-10-10"));

    let (reprocessed, end) = run(&stage, &again).await;
    executor.stop().await;

    let days = completed(&reprocessed);
    assert_eq!(dates(&days), sessions("2025-10-06", "2025-10-10"), "exactly the stale ones");
    assert_eq!(codes(&end), [code::ALREADY_COMPLETED], "and nothing is stale any more");
    let mut chain = completed(&first)[..1].to_vec();
    chain.extend(completed(&replaced));
    chain.extend(days);
    assert_chain(&chain);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_gap_that_is_filled_later_makes_the_days_after_it_stale() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    run(&stage, &job(&["equal"], "2025-10-02", "2025-10-03")).await;

    let (events, end) = run(&stage, &job(&["equal"], "2025-10-01", "2025-10-03")).await;
    executor.stop().await;

    assert_eq!(texts(&dates(&completed(&events))), ["2025-10-01"]);
    assert_eq!(codes(&end), [code::ALREADY_COMPLETED, code::STALE_DAYS]);
    assert_eq!(texts(&end.warnings[1].dates), ["2025-10-02", "2025-10-03"]);
}

#[tokio::test]
async fn days_of_another_configuration_are_kept_with_a_warning() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    run(&stage, &job(&["equal"], "2025-10-01", "2025-10-03")).await;
    let mut other = job(&["equal"], "2025-10-01", "2025-10-06");
    other.models[0].config_hash = "another".to_owned();
    let mut elsewhere = other.clone();
    elsewhere.id = domain::values::ids::JobId(uuid::Uuid::now_v7());
    elsewhere.experiment = "elsewhere".to_owned();

    let (_, end) = run(&stage, &other).await;
    let (_, anew) = run(&stage, &elsewhere).await;
    executor.stop().await;

    assert_eq!(codes(&end), [code::ALREADY_COMPLETED, code::CONFIG_CHANGED]);
    assert_eq!((end.tally.completed, end.warnings[1].count), (1, 3));
    assert_eq!((anew.tally.completed, anew.warnings.len()), (4, 0), "another experiment begins anew");
}

/// A portfolio that holds what has no price: each of its days fails.
pub(crate) async fn hold_a_ghost(stage: &Stage, model: &str) {
    let portfolio = uuid::Uuid::now_v7();
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.portfolios (id, experiment, model, trial)
                 VALUES ('{portfolio}', 'default', '{model}', 0);
             INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, attempt, revision,
                     config_hash, cash, holdings, value_at_open, value_at_close)
                 VALUES ('{}', '{portfolio}', '2025-09-30', 'completed', 1, 1, 'hash of {model}', 9000,
                     '{{\"GHOST\": 10}}', 10000, 10000)",
            uuid::Uuid::now_v7(),
        ))
        .await;
}

fn failures(events: &[Event]) -> Vec<(String, String)> {
    let of = |event: &Event| match event {
        Event::ModelDayFailed(day) => Some((day.key.date.to_string(), day.error.clone())),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[tokio::test]
async fn a_failed_day_does_not_stop_the_lane_unless_the_job_says_so() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    hold_a_ghost(&stage, "equal").await;
    let going_on = job(&["equal", "cash"], "2025-10-01", "2025-10-03");
    let mut stopping = job(&["equal"], "2025-10-01", "2025-10-03");
    stopping.options.on_failure = OnFailure::Stop;

    let (events, end) = run(&stage, &going_on).await;
    let (stopped, stop) = run(&stage, &stopping).await;
    executor.stop().await;

    let error = "GHOST is held and has no price";
    let expected = ["2025-10-01", "2025-10-02", "2025-10-03"].map(|date| (date.to_owned(), error.to_owned()));
    assert_eq!(failures(&events), expected);
    assert_eq!((end.outcome, end.tally.completed, end.tally.failed), (JobOutcome::Partial, 3, 3));
    assert_eq!(failures(&stopped), expected[..1]);
    let rest: Vec<_> = skipped(&stopped).iter().map(|skipped| (skipped.date, skipped.reason)).collect();
    let after = SkipReason::StoppedAfterFailure;
    assert_eq!(rest, [(day("2025-10-02"), after), (day("2025-10-03"), after)]);
    assert_eq!(stop.outcome, JobOutcome::Failed);
    assert_eq!(stop.error.as_deref(), Some("All 1 model-days failed"));
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_lane_that_stopped_after_a_failure_stays_stopped_when_its_worker_died_before_it_was_closed() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    hold_a_ghost(&stage, "equal").await;
    let mut stopping = job(&["equal"], "2025-10-01", "2025-10-03");
    stopping.options.on_failure = OnFailure::Stop;
    run(&stage, &stopping).await;
    let lane = stage.lane(stopping.id).await;
    // Back to the moment after the failed day's commit.
    stage
        .database
        .execute(
            "DELETE FROM execution.outbox WHERE kind LIKE 'modelday.job.failed%' OR kind LIKE '%skipped%';
             DELETE FROM execution.model_days WHERE state = 'skipped';
             UPDATE execution.jobs SET state = 'running', ended_at = NULL, open_lanes = 1;
             UPDATE execution.lanes SET state = 'ready', done = 1, lease_until = NULL;
             UPDATE execution.portfolios SET holder = (SELECT id FROM execution.lanes)",
        )
        .await;

    stage.vhost.publish(&[turn(stopping.id, lane, 0)]).await;
    let (events, end) = stage.end_of(stopping.id).await;
    executor.stop().await;

    assert_eq!(failures(&events).len(), 1);
    assert_eq!((end.tally.failed, end.tally.skipped), (1, 2));
    stage.assert_tidy().await;
}

#[tokio::test]
async fn of_a_job_with_single_days_of_single_trials_nothing_else_is_run_or_held() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let mut job = job(&["equal", "random"], "2025-10-01", "2025-10-10");
    for model in &mut job.models {
        model.trials = 3;
    }
    job.models[0].requested_dates =
        Some([(1, day("2025-10-02")), (1, day("2025-10-09"))].into_iter().collect());
    job.models[1].requested_dates = Some([(2, day("2025-10-10"))].into_iter().collect());

    let (events, end) = run(&stage, &job).await;
    executor.stop().await;

    let mut ran: Vec<_> = completed(&events)
        .into_iter()
        .map(|day| format!("{} {} {}", day.key.model, day.key.trial, day.key.date))
        .collect();
    ran.sort();
    assert_eq!(ran, ["equal 1 2025-10-02", "equal 1 2025-10-09", "random 2 2025-10-10"]);
    assert_eq!(skipped(&events), []);
    assert_eq!((end.outcome, end.tally.days()), (JobOutcome::Completed, 3));
    assert_eq!(stage.database.count("SELECT count(*) FROM execution.portfolios").await, 2);
}
