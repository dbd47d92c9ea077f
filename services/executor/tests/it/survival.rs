//! Executors that stop or die in the middle, and a broker that forgets.

use std::time::Duration;

use domain::events::event::Event;
use domain::job::{Job, JobOutcome};
use messaging::topology::queues;
use sqlx::Transaction;
use sqlx_postgres::Postgres;
use test_support::eventually;

use crate::scene::{assert_chain, completed_by, dates, ends, job, ready, sessions};
use crate::stage::{Running, Stage, turn};

const MODELS: [&str; 3] = ["equal", "momentum", "random"];
const START: &str = "2025-08-15";
const END: &str = "2025-10-31";

fn long_job() -> Job {
    job(&MODELS, START, END)
}

/// Every day once, in order, from the first to the last; one end.
async fn assert_complete(stage: &Stage, job: &Job) {
    let (_, end) = stage.end_of(job.id).await;
    let events = stage.events(job.id).await;
    for model in MODELS {
        let days = completed_by(&events, model);
        assert_eq!(dates(&days), sessions(START, END), "{model}");
        assert_chain(&days);
    }
    assert_eq!(end.outcome, JobOutcome::Completed);
    assert_eq!(ends(&events).len(), 1);
    let started = events.iter().filter(|event| matches!(event, Event::JobStarted(_))).count();
    assert_eq!(started, 1);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn without_slices_every_day_is_a_turn_of_its_own() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let job = long_job();

    stage.announce(&ready(&job)).await;
    assert_complete(&stage, &job).await;
    executor.stop().await;

    let turns = "SELECT min(turn)::bigint FROM execution.lanes";
    let last = sessions(START, END).len() - 1;
    assert_eq!(stage.database.count(turns).await, i64::try_from(last).unwrap());
    assert_eq!(stage.database.count("SELECT max(crashes)::bigint FROM execution.lanes").await, 0);
}

#[tokio::test]
async fn another_executor_goes_on_where_one_was_stopped() {
    let stage = Stage::new().await;
    let job = long_job();
    let executor = Running::start(stage.day_by_day()).await;
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 20).await;

    executor.stop().await;
    let executor = Running::start(stage.day_by_day()).await;

    assert_complete(&stage, &job).await;
    executor.stop().await;
}

#[tokio::test]
async fn what_was_committed_before_the_end_of_an_executor_is_sent_before_it() {
    let stage = Stage::new().await;
    let job = long_job();
    let executor = Running::start(stage.config()).await;
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 20).await;

    executor.stop().await;

    let unsent = "SELECT count(*) FROM execution.outbox WHERE sent_at IS NULL";
    assert_eq!(stage.database.count(unsent).await, 0);
}

#[tokio::test]
async fn another_executor_goes_on_where_one_was_killed() {
    let stage = Stage::new().await;
    let job = long_job();
    stage.announce(&ready(&job)).await;

    for (config, days) in [(stage.config(), 10), (stage.day_by_day(), 40), (stage.config(), 90)] {
        let executor = Running::start(config).await;
        stage.until_completed(job.id, days).await;
        executor.kill();
    }
    let executor = Running::start(stage.day_by_day()).await;

    assert_complete(&stage, &job).await;
    executor.stop().await;
}

#[tokio::test]
async fn turns_that_are_lost_with_their_queue_are_sent_again() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let job = long_job();
    stage.announce(&ready(&job)).await;

    for days in [20, 80] {
        stage.until_completed(job.id, days).await;
        stage.vhost.delete_queue(queues::EXECUTOR_LANES);
    }

    assert_complete(&stage, &job).await;
    executor.stop().await;
}

/// Locks the rows of the lanes in hand, so that they go on when the transaction ends.
async fn hold_up(stage: &Stage) -> Transaction<'static, Postgres> {
    let held = "SELECT FROM execution.lanes WHERE lease_until > now() FOR UPDATE";
    eventually("a lane is held up", async || {
        let mut rows = stage.database.admin.begin().await.unwrap();
        let locked = sqlx::query(held).execute(&mut *rows).await.unwrap();
        (locked.rows_affected() > 0).then_some(rows)
    })
    .await
}

/// How many turns were sent more than once.
async fn sent_again(stage: &Stage) -> i64 {
    let again =
        "SELECT count(*) - count(DISTINCT body) FROM execution.outbox WHERE routing_key LIKE 'lane.%'";
    stage.database.count(again).await
}

#[tokio::test]
async fn turns_that_stand_in_line_are_not_sent_again() {
    let stage = Stage::new().await;
    let job = long_job();
    let config = executor::Config { lanes_at_once: 1, ..stage.config() };
    let patience = config.patience;
    let executor = Running::start(config).await;
    stage.announce(&ready(&job)).await;
    let in_hand = hold_up(&stage).await;
    // An executor that makes a queue sends all turns, perhaps after the job was planned.
    tokio::time::sleep(patience).await;
    let before = sent_again(&stage).await;

    // It is waited that nothing happens, longer than a turn that is lost waits. The lease of the turn in hand runs out
    // meanwhile; it is locked, so it is not sent either.
    tokio::time::sleep(patience * 5).await;
    let again = sent_again(&stage).await;
    in_hand.rollback().await.unwrap();
    assert_complete(&stage, &job).await;
    executor.stop().await;

    assert_eq!(again, before);
}

#[tokio::test]
async fn turns_that_were_purged_are_sent_again() {
    let stage = Stage::new().await;
    let job = long_job();
    let executor = Running::start(executor::Config { lanes_at_once: 1, ..stage.config() }).await;
    stage.announce(&ready(&job)).await;
    let in_hand = hold_up(&stage).await;
    let mut purged = 0;
    eventually("the turns in line are purged", async || {
        purged += stage.vhost.drain(queues::EXECUTOR_LANES).await.len();
        (purged >= MODELS.len() - 1).then_some(())
    })
    .await;

    in_hand.rollback().await.unwrap();
    assert_complete(&stage, &job).await;
    executor.stop().await;

    assert!(sent_again(&stage).await >= 2);
}

#[tokio::test]
async fn a_turn_that_the_broker_forgot_is_sent_again_when_patience_is_over() {
    let stage = Stage::new().await;
    let job = job(&["equal"], "2025-10-01", "2025-10-10");
    let planner = Running::start(stage.config()).await;
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 8).await;
    stage.end_of(job.id).await;
    planner.stop().await;
    // As if the lane had never been run, and its message were gone.
    stage.database.execute("DELETE FROM execution.model_days").await;
    stage.database.execute("DELETE FROM execution.fills").await;
    stage.database.execute("DELETE FROM execution.outbox").await;
    stage.database.execute("UPDATE execution.lanes SET state = 'ready', done = 0, turn = 0").await;
    stage.database.execute("UPDATE execution.portfolios SET holder = (SELECT id FROM execution.lanes)").await;
    stage
        .database
        .execute("UPDATE execution.jobs SET state = 'running', ended_at = NULL, open_lanes = 1")
        .await;

    let executor = Running::start(stage.config()).await;
    let (events, _) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!(dates(&completed_by(&events, "equal")), sessions("2025-10-01", "2025-10-10"));
    stage.assert_tidy().await;
}

#[tokio::test]
async fn copies_of_turns_change_nothing() {
    let stage = Stage::new().await;
    let executors = [Running::start(stage.day_by_day()).await, Running::start(stage.day_by_day()).await];
    let job = job(&["random"], START, END);
    stage.announce(&ready(&job)).await;
    stage.until_completed(job.id, 5).await;
    let lane = stage.lane(job.id).await;

    let copies: Vec<_> = (0..80).map(|number| turn(job.id, lane, number)).collect();
    stage.vhost.publish(&copies).await;
    let (events, _) = stage.end_of(job.id).await;
    stage.vhost.publish(&copies).await;
    for executor in executors {
        executor.stop().await;
    }

    let days = completed_by(&events, "random");
    assert_eq!(dates(&days), sessions(START, END));
    assert_chain(&days);
    assert_eq!(stage.events(job.id).await.len(), events.len());
    stage.assert_tidy().await;
}

#[tokio::test]
async fn days_that_were_on_their_way_when_their_connection_was_cut_take_effect_once() {
    let stage = Stage::new().await;
    stage
        .database
        .execute(
            "CREATE SEQUENCE execution.tries;
             CREATE FUNCTION execution.cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
             'BEGIN
                 IF nextval(''execution.tries'') IN (1, 20, 60) THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                 RETURN NEW;
             END';
             CREATE TRIGGER cut BEFORE INSERT ON execution.model_days FOR EACH ROW EXECUTE FUNCTION execution.cut()",
        )
        .await;
    let executor = Running::start(stage.config()).await;
    let job = long_job();

    stage.announce(&ready(&job)).await;

    assert_complete(&stage, &job).await;
    executor.stop().await;
    assert!(stage.database.count("SELECT last_value FROM execution.tries").await > 60);
}

#[tokio::test]
async fn of_thousands_of_lanes_none_is_forgotten_when_the_broker_loses_their_queue() {
    let stage = Stage::new().await;
    // Nothing is sent again for want of patience.
    let config = executor::Config { patience: Duration::from_secs(3_600), ..stage.config() };
    let executor = Running::start(config).await;
    let job = job(&["cash"], "2025-10-01", "2025-10-01");
    stage.announce(&ready(&job)).await;
    stage.end_of(job.id).await;
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.portfolios (id, experiment, model, trial)
                 SELECT gen_random_uuid(), 'many', 'cash', trial FROM generate_series(1, 2300) AS trial;
             INSERT INTO execution.lanes (id, job_id, portfolio_id, model, trial, routing_key, state, dates, sent_at)
                 SELECT gen_random_uuid(), '{}', id, model, trial, 'lane.continue', 'ready', '{{}}', now()
                 FROM execution.portfolios WHERE experiment = 'many';
             UPDATE execution.jobs SET open_lanes = 2300",
            job.id
        ))
        .await;

    stage.vhost.delete_queue(queues::EXECUTOR_LANES);

    let sent_again = "SELECT count(DISTINCT body::jsonb ->> 'lane_id') FROM execution.outbox WHERE kind = 'lane.continue'
                    AND (body::jsonb ->> 'lane_id')::uuid IN (SELECT id FROM execution.lanes WHERE trial > 0)";
    eventually("every lane's turn is sent again", async || {
        (stage.database.count(sent_again).await == 2_300).then_some(())
    })
    .await;
    executor.kill();
}

#[tokio::test]
async fn a_lane_that_another_session_has_locked_does_not_hold_up_the_others() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let job = long_job();
    stage.announce(&ready(&job)).await;
    let lanes = "SELECT count(*) FROM execution.lanes";
    eventually("the lanes", async || (stage.database.count(lanes).await == 3).then_some(())).await;

    let mut lock = stage.database.admin.begin().await.unwrap();
    let held: String =
        sqlx::query_scalar("SELECT state::text FROM execution.lanes WHERE model = 'random' FOR UPDATE")
            .fetch_one(&mut *lock)
            .await
            .unwrap();
    assert_eq!(held, "ready", "it has days left");
    let others = "SELECT count(*) FROM execution.lanes WHERE state = 'finished'";
    eventually("the other lanes' ends", async || (stage.database.count(others).await == 2).then_some(()))
        .await;
    lock.rollback().await.unwrap();

    assert_complete(&stage, &job).await;
    executor.stop().await;
}
