//! Jobs that are cancelled: each ends once, at once, and nothing of it stays in the way of others.

use chrono::NaiveDate;
use contract::kind;
use domain::events::event::{DataFailed, Event};
use domain::job::{Job, JobOutcome};
use domain::simulation::model_day::{SkipReason, SkippedDate};
use domain::values::ids::JobId;
use messaging::topology::queues;
use test_support::eventually;

use crate::scene::{assert_chain, completed, dates, day, ends, job, ready, sessions, skipped};
use crate::stage::{Running, Stage, message};

const LONG: (&str, &str) = ("2025-02-03", "2025-12-31");

fn long(models: &[&str]) -> Job {
    job(models, LONG.0, LONG.1)
}

/// The dates that were skipped for a reason, ascending.
fn skipped_as(events: &[Event], reason: SkipReason) -> Vec<NaiveDate> {
    let mut dates: Vec<_> = skipped(events)
        .into_iter()
        .filter(|skipped| skipped.reason == reason)
        .map(|skipped| skipped.date)
        .collect();
    dates.sort();
    dates
}

/// Insists that the job ended once, as cancelled, and that each of its sessions is completed or skipped.
fn assert_cancelled(events: &[Event], sessions: usize) {
    let ends = ends(events);
    assert_eq!(ends.len(), 1, "the job ended {} times", ends.len());
    assert_eq!(ends[0].outcome, JobOutcome::Cancelled);
    assert!(matches!(events.last(), Some(Event::JobEnded(_))), "the end comes last");
    assert_eq!(ends[0].error, None);
    let cancelled = skipped_as(events, SkipReason::Cancelled).len();
    let already = skipped_as(events, SkipReason::AlreadyCompleted).len();
    assert_eq!(completed(events).len() + already + cancelled, sessions);
    assert_eq!(ends[0].tally.completed as usize, completed(events).len());
    assert_eq!(ends[0].tally.days() as usize, completed(events).len() + skipped(events).len());
}

async fn state(stage: &Stage, job: JobId) -> String {
    stage.database.text(&format!("SELECT state FROM execution.jobs WHERE id = '{job}'")).await
}

#[tokio::test]
async fn a_job_cancelled_in_the_middle_ends_at_once_and_its_portfolios_go_to_the_waiting_lanes() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let (first, second) = (long(&["equal", "random"]), job(&["random"], "2025-02-03", "2025-02-28"));
    stage.announce(&ready(&first)).await;
    stage.until_completed(first.id, 4).await;
    stage.announce(&ready(&second)).await;

    stage.cancel(first.id).await;
    let (of_first, _) = stage.end_of(first.id).await;
    let (of_second, end) = stage.end_of(second.id).await;
    executor.stop().await;

    let days = sessions(LONG.0, LONG.1).len();
    assert_cancelled(&of_first, 2 * days);
    assert!(completed(&of_first).len() < 2 * days, "it was not cut off");
    assert_eq!(end.outcome, JobOutcome::Completed);
    let mut chain: Vec<_> = completed(&of_first)
        .into_iter()
        .chain(completed(&of_second))
        .filter(|day| day.key.model == "random")
        .collect();
    chain.sort_by_key(|day| day.key.date);
    assert_chain(&chain);
    assert!(sessions("2025-02-03", "2025-02-28").iter().all(|date| dates(&chain).contains(date)));
    assert_eq!(stage.events(first.id).await.len(), of_first.len(), "nothing comes after the end");
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_waiter_that_is_cancelled_ends_at_once_and_is_passed_over() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let jobs = [long(&["equal"]), long(&["equal"]), job(&["equal"], "2025-12-22", "2025-12-31")];
    stage.announce(&ready(&jobs[0])).await;
    stage.until_completed(jobs[0].id, 1).await;
    // So that the holder is not done before the others wait.
    let mut pause = stage.database.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM execution.lanes FOR UPDATE").execute(&mut *pause).await.unwrap();
    for job in &jobs[1..] {
        stage.vhost.publish(&[message(&ready(job))]).await;
        eventually("it is planned", async || (!stage.events(job.id).await.is_empty()).then_some(())).await;
    }
    let waiting = "SELECT count(*) FROM execution.lanes WHERE state = 'waiting'";
    eventually("two wait", async || (stage.database.count(waiting).await == 2).then_some(())).await;

    stage.cancel(jobs[1].id).await;
    let (of_waiter, _) = stage.end_of(jobs[1].id).await;

    assert_cancelled(&of_waiter, sessions(LONG.0, LONG.1).len());
    assert_eq!(completed(&of_waiter), []);
    assert_eq!(state(&stage, jobs[0].id).await, "running", "the holder goes on");
    pause.rollback().await.unwrap();
    stage.cancel(jobs[0].id).await;
    let (_, end) = stage.end_of(jobs[2].id).await;
    executor.stop().await;
    assert_eq!(end.outcome, JobOutcome::Completed);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_job_cancelled_before_its_data_are_ready_ends_with_its_plan() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let done = job(&["equal"], "2025-10-01", "2025-10-01");
    stage.announce(&ready(&done)).await;
    stage.end_of(done.id).await;
    let (cancelled, unplannable) =
        (job(&["equal"], "2025-10-01", "2025-10-03"), job(&["cash"], "2025-10-01", "2025-10-03"));
    stage.cancel(cancelled.id).await;
    stage.cancel(unplannable.id).await;

    stage.announce(&ready(&cancelled)).await;
    let incomplete = SkippedDate { date: day("2025-10-02"), reason: SkipReason::IncompletePriceData };
    let (skipped, error) = (vec![incomplete], "no prices".to_owned());
    stage
        .announce(&Event::DataFailed(DataFailed {
            job: unplannable.clone(),
            error,
            skipped,
            warnings: Vec::new(),
        }))
        .await;
    let (of_cancelled, end) = stage.end_of(cancelled.id).await;
    let (of_unplannable, end_of_unplannable) = stage.end_of(unplannable.id).await;
    executor.stop().await;

    assert_eq!(completed(&of_cancelled), []);
    assert_eq!((end.outcome, end_of_unplannable.outcome), (JobOutcome::Cancelled, JobOutcome::Cancelled));
    assert_eq!(skipped_as(&of_cancelled, SkipReason::AlreadyCompleted), [day("2025-10-01")]);
    assert_eq!(skipped_as(&of_cancelled, SkipReason::Cancelled), sessions("2025-10-02", "2025-10-03"));
    assert_eq!(skipped_as(&of_unplannable, SkipReason::IncompletePriceData), [day("2025-10-02")]);
    assert_eq!(skipped_as(&of_unplannable, SkipReason::Cancelled), [day("2025-10-01"), day("2025-10-03")]);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_cancellation_whose_command_is_lost_is_carried_out() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let lost = long(&["equal"]);
    stage.announce(&ready(&lost)).await;
    stage.until_completed(lost.id, 2).await;

    stage.cancel_silently(lost.id).await;
    let (events, _) = stage.end_of(lost.id).await;
    executor.stop().await;

    assert_cancelled(&events, sessions(LONG.0, LONG.1).len());
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_cancellation_that_is_sent_often_to_many_executors_ends_the_job_once() {
    let stage = Stage::new().await;
    let executors = [Running::start(stage.day_by_day()).await, Running::start(stage.day_by_day()).await];
    let often = long(&["equal", "random", "momentum", "hold", "cash"]);
    stage.announce(&ready(&often)).await;
    stage.until_completed(often.id, 10).await;

    let [command, hint] = stage.cancel_silently(often.id).await;
    let copies: Vec<_> = (0..8).flat_map(|_| [command.clone(), hint.clone()]).collect();
    stage.vhost.publish(&copies).await;
    let (events, _) = stage.end_of(often.id).await;
    for executor in executors {
        executor.stop().await;
    }

    assert_cancelled(&events, 5 * sessions(LONG.0, LONG.1).len());
    assert_eq!(stage.events(often.id).await.len(), events.len(), "nothing comes after the end");
    stage.assert_tidy().await;
}

#[tokio::test]
async fn an_executor_killed_while_it_cancels_leaves_a_job_that_the_next_one_ends_once() {
    let stage = Stage::new().await;
    let job = long(&["equal", "random", "momentum"]);
    let executor = Running::start(stage.day_by_day()).await;
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 3).await;

    // It is killed at the last moment before its commit: the row that it has to write is locked.
    let mut lock = stage.database.admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE execution.model_days IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    stage.cancel(job.id).await;
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '-- jobs::insert_skipped%'";
    eventually("it is about to commit", async || (stage.database.count(waits).await > 0).then_some(())).await;
    executor.kill();
    lock.rollback().await.unwrap();
    let executor = Running::start(stage.day_by_day()).await;
    let (events, _) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_cancelled(&events, 3 * sessions(LONG.0, LONG.1).len());
    stage.assert_tidy().await;
}

#[tokio::test]
async fn days_that_were_cancelled_are_run_by_a_new_job_as_if_nothing_had_been() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let first = long(&["random"]);
    stage.announce(&ready(&first)).await;
    stage.until_completed(first.id, 3).await;
    stage.cancel(first.id).await;
    let (of_first, _) = stage.end_of(first.id).await;

    let second = long(&["random"]);
    stage.announce(&ready(&second)).await;
    let (of_second, end) = stage.end_of(second.id).await;
    executor.stop().await;

    assert_eq!(end.outcome, JobOutcome::Completed);
    let chain = [completed(&of_first), completed(&of_second)].concat();
    assert_eq!(dates(&chain), sessions(LONG.0, LONG.1), "each day once");
    assert_chain(&chain);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_job_that_has_ended_stays_as_it_ended() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let short = job(&["equal"], "2025-10-01", "2025-10-03");
    stage.announce(&ready(&short)).await;
    let (events, _) = stage.end_of(short.id).await;

    // As if the command had been on its way since before the end.
    let row =
        format!("INSERT INTO trigger.jobs (id, body, accepted_at) VALUES ('{}', '{{}}', now())", short.id);
    stage.database.execute(&row).await;
    let row = format!("INSERT INTO trigger.cancellations (job_id) VALUES ('{}')", short.id);
    stage.database.execute(&row).await;
    let [command, hint] = crate::stage::cancellation(short.id);
    stage.vhost.publish(&[command, hint]).await;
    let later = job(&["equal"], "2025-10-06", "2025-10-06");
    stage.announce(&ready(&later)).await;
    stage.end_of(later.id).await;
    executor.stop().await;

    assert_eq!(stage.vhost.drain(queues::EXECUTOR_CONTROL).await.len(), 0, "the command was taken");
    assert_eq!(stage.events(short.id).await.len(), events.len());
    assert_eq!(state(&stage, short.id).await, "completed");
}

#[tokio::test]
async fn a_command_that_trigger_did_not_give_is_put_away_with_its_reason() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let running = job(&["equal"], "2025-10-01", "2025-10-03");
    let [command, _] = crate::stage::cancellation(running.id);

    stage.vhost.publish(&[command]).await;
    let mut reasons = Vec::new();
    eventually("it is put away", async || {
        reasons.extend(stage.vhost.dead_letter_reasons().await);
        (!reasons.is_empty()).then_some(())
    })
    .await;
    stage.vhost.publish(&[message(&ready(&running))]).await;
    let (events, end) = stage.end_of(running.id).await;
    executor.stop().await;

    assert!(reasons[0].contains("is not known as cancelled"), "{reasons:?}");
    assert_eq!(end.outcome, JobOutcome::Completed);
    assert!(events.iter().all(|event| kind::of(event) != kind::JOB_CANCELLED));
}
