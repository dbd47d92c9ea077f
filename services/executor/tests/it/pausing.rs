//! Models and the queue of turns that are paused: what waits, what goes on, and what follows when they are resumed.

use domain::job::pause::PauseKind;
use domain::job::{Job, JobOutcome};
use domain::simulation::model_day::CompletedDay;
use storage::Owner;
use test_support::eventually;

use crate::scene::{completed, completed_by, job, ready, sessions};
use crate::stage::{Running, Stage};

const LONG: (&str, &str) = ("2025-06-02", "2025-12-31");

async fn pause(stage: &Stage, kind: PauseKind, name: &str) {
    let trigger = stage.database.pool(Owner::Trigger).await;
    assert!(storage::trigger::pause(&trigger, kind, name, None, "ops").await.unwrap());
}

async fn resume(stage: &Stage, kind: PauseKind, name: &str) {
    let trigger = stage.database.pool(Owner::Trigger).await;
    assert!(storage::trigger::resume(&trigger, kind, name).await.unwrap());
}

/// Waits until no lane of the model is in hand or due.
async fn until_paused(stage: &Stage, model: &str, lanes: i64) {
    let query = format!(
        "SELECT count(*) FROM execution.lanes
         WHERE model = '{model}' AND state = 'ready' AND is_paused AND lease_until IS NULL"
    );
    eventually("its lanes wait", async || (stage.database.count(&query).await == lanes).then_some(())).await;
}

/// A job of many portfolios of one model, so that it takes a while, and of one of another.
fn many(experiment: &str) -> Job {
    let mut many = job(&["random", "cash"], LONG.0, LONG.1);
    many.models[0].trials = 12;
    many.experiment = experiment.to_owned();
    many
}

/// Days by portfolio, apart from when they ran and in which experiment.
fn results(mut days: Vec<CompletedDay>) -> Vec<CompletedDay> {
    for day in &mut days {
        day.key.experiment = String::new();
        day.key.job = domain::values::ids::JobId(uuid::Uuid::nil());
        day.started_at = chrono::DateTime::UNIX_EPOCH;
        day.completed_at = chrono::DateTime::UNIX_EPOCH;
    }
    days.sort_by_key(|day| (day.key.trial, day.key.date));
    days
}

#[tokio::test]
async fn a_paused_model_waits_while_others_end_and_comes_to_what_it_would_have_come_to() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let undisturbed = many("undisturbed");
    stage.announce(&ready(&undisturbed)).await;
    let (of_undisturbed, _) = stage.end_of(undisturbed.id).await;
    executor.stop().await;
    let executors = [Running::start(stage.day_by_day()).await, Running::start(stage.day_by_day()).await];
    let job = many("default");
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 10).await;

    pause(&stage, PauseKind::Model, "random").await;
    until_paused(&stage, "random", 12).await;
    let days = sessions(LONG.0, LONG.1).len();
    eventually("the other model ends", async || {
        (completed_by(&stage.events(job.id).await, "cash").len() == days).then_some(())
    })
    .await;
    let before = completed_by(&stage.events(job.id).await, "random").len();
    for executor in executors {
        executor.stop().await;
    }
    let executor = Running::start(stage.config()).await;
    let other = crate::scene::job(&["equal"], LONG.0, LONG.1);
    stage.announce(&ready(&other)).await;
    stage.end_of(other.id).await;
    let turns =
        "SELECT count(*) FROM execution.lanes WHERE model = 'random' AND resends > 0 AND state = 'ready'";
    let resent = stage.database.count(turns).await;
    let after = completed_by(&stage.events(job.id).await, "random").len();
    let still = crate::scene::ends(&stage.events(job.id).await).len();
    resume(&stage, PauseKind::Model, "random").await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert!((1..12 * days).contains(&before), "it was not paused in the middle");
    assert_eq!((after, still), (before, 0), "it runs no day while it is paused, and the job does not end");
    assert_eq!(resent, 0, "the turn of a paused lane was sent again");
    assert_eq!(end.outcome, JobOutcome::Completed);
    assert_eq!(
        results(completed_by(&events, "random")),
        results(completed_by(&of_undisturbed, "random")),
        "a pause changes no result"
    );
    let open = "SELECT count(*) FROM execution.lanes WHERE state <> 'finished'";
    assert_eq!(stage.database.count(open).await, 0);
}

#[tokio::test]
async fn a_cancelled_job_ends_at_once_although_its_model_is_paused() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let job = job(&["equal"], LONG.0, LONG.1);
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 2).await;
    pause(&stage, PauseKind::Model, "equal").await;
    until_paused(&stage, "equal", 1).await;

    stage.cancel(job.id).await;
    let (_, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!(end.outcome, JobOutcome::Cancelled);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_paused_queue_keeps_its_turns_until_it_is_resumed() {
    let stage = Stage::new().await;
    pause(&stage, PauseKind::Queue, "executor").await;
    let executors = [Running::start(stage.config()).await, Running::start(stage.config()).await];
    let first = job(&["equal", "cash", "hold"], LONG.0, LONG.1);

    stage.announce(&ready(&first)).await;
    stage.until_sent().await;
    eventually("its job is planned", async || (!stage.events(first.id).await.is_empty()).then_some(())).await;
    stage.until_sent().await;
    let taken = "SELECT count(*) FROM execution.lanes WHERE epoch > 0";
    let taken_while_paused = stage.database.count(taken).await;
    resume(&stage, PauseKind::Queue, "executor").await;
    stage.until_completed(first.id, 1).await;
    pause(&stage, PauseKind::Queue, "executor").await;
    let in_hand = "SELECT count(*) FROM execution.lanes WHERE lease_until > now()";
    // No turn follows another one any more.
    let mut rounds = 0;
    eventually("nothing is in hand", async || {
        rounds = if stage.database.count(in_hand).await == 0 { rounds + 1 } else { 0 };
        (rounds > 20).then_some(())
    })
    .await;
    let half = completed(&stage.events(first.id).await).len();
    resume(&stage, PauseKind::Queue, "executor").await;
    let (events, end) = stage.end_of(first.id).await;
    for executor in executors {
        executor.stop().await;
    }

    assert_eq!(taken_while_paused, 0);
    assert_eq!(end.outcome, JobOutcome::Completed);
    assert!(half <= completed(&events).len());
    assert_eq!(completed(&events).len(), 3 * sessions(LONG.0, LONG.1).len());
    stage.assert_tidy().await;
}
