//! Batches of days: what one of them is to blame for falls on that day alone.

use std::time::Duration;

use domain::events::event::Event;
use domain::job::JobOutcome;
use test_support::eventually;

use crate::scene::{assert_chain, completed_by, dates, job, ready, sessions};
use crate::stage::{Running, Stage};

#[tokio::test]
async fn a_day_that_kills_its_worker_again_and_again_is_failed() {
    let stage = Stage::new().await;
    let job = job(&["equal"], "2025-10-01", "2025-10-03");
    let executor = Running::start(stage.config()).await;
    stage.announce(&ready(&job)).await;
    stage.end_of(job.id).await;
    executor.stop().await;
    let again = crate::scene::job(&["equal"], "2025-10-06", "2025-10-08");
    // The sixth worker finds that five have died of the lane's next day.
    stage
        .database
        .execute(
            "CREATE FUNCTION execution.died() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN NEW.crashes := 5; RETURN NEW; END';
             CREATE TRIGGER died BEFORE INSERT ON execution.lanes FOR EACH ROW EXECUTE FUNCTION execution.died()",
        )
        .await;

    let executor = Running::start(stage.config()).await;
    stage.announce(&ready(&again)).await;
    let (events, end) = stage.end_of(again.id).await;
    executor.stop().await;

    let failed: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::ModelDayFailed(day) => Some((day.key.date.to_string(), day.error.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [("2025-10-06".to_owned(), "crashed repeatedly")]);
    assert_eq!((end.outcome, end.tally.completed), (JobOutcome::Partial, 2));
}

/// Makes the commit of a completed day of `date` wait for the advisory lock that the test holds.
async fn hold_commits_of(stage: &Stage, date: &str) {
    stage
        .database
        .execute(&format!(
            "CREATE FUNCTION execution.hold() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN
                 IF NEW.trading_date = ''{date}'' AND NEW.state = ''completed'' THEN PERFORM pg_advisory_lock(77); END IF;
                 RETURN NEW;
             END';
             CREATE TRIGGER hold BEFORE INSERT ON execution.model_days FOR EACH ROW EXECUTE FUNCTION execution.hold()"
        ))
        .await;
}

/// Ends what a killed executor has left in Postgres: the statements that wait for the one that waits for the test, and
/// then that one, so that none of them goes on when it ends.
async fn end_sessions(stage: &Stage) {
    for waits_for in ["<> 'advisory'", "= 'advisory'"] {
        let sessions = format!(
            "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'modelday-executor'
                 AND wait_event IS NOT NULL AND wait_event {waits_for}"
        );
        stage.database.count(&format!("SELECT count(pg_terminate_backend(pid)) {sessions}")).await;
        eventually("the sessions' end", async || {
            let left = stage.database.count(&format!("SELECT count(*) {sessions}")).await;
            (left == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_day_that_kills_its_process_in_the_middle_of_a_batch_fails_alone_after_five_tries() {
    let stage = Stage::new().await;
    hold_commits_of(&stage, "2025-10-08").await;
    let mut lock = stage.database.admin.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(77)").execute(&mut *lock).await.unwrap();
    let job = job(&["equal"], "2025-10-01", "2025-10-15");
    let held = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
                WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()";
    let ended = "SELECT count(*) FROM execution.jobs WHERE state <> 'running'";

    // However slow the machine is, a turn does not end before the day that kills.
    let config = || executor::Config { slice: Duration::from_secs(600), ..stage.config() };
    let mut deaths = Vec::new();
    let mut executor = Running::start(config()).await;
    stage.announce(&ready(&job)).await;
    loop {
        let has_ended = eventually("a day that waits, or the end", async || {
            match (stage.database.count(held).await, stage.database.count(ended).await) {
                (_, 1) => Some(true),
                (0, _) => None,
                _ => Some(false),
            }
        })
        .await;
        if has_ended {
            break;
        }
        executor.kill_and_wait().await;
        end_sessions(&stage).await;
        let days =
            stage.database.count("SELECT count(*) FROM execution.model_days WHERE state = 'completed'").await;
        deaths.push(days);
        stage
            .database
            .execute("UPDATE execution.lanes SET lease_until = now() WHERE lease_until IS NOT NULL")
            .await;
        executor = Running::start(config()).await;
    }
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!(deaths[0], 0, "with the first death the whole batch is lost");
    assert_eq!(
        deaths[1..],
        [5; 6],
        "the days before are there as soon as they go one by one; then five tries"
    );
    let failed: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::ModelDayFailed(day) => Some((day.key.date.to_string(), day.error.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [("2025-10-08".to_owned(), "crashed repeatedly")]);
    let days = completed_by(&events, "equal");
    let others: Vec<_> = sessions("2025-10-01", "2025-10-15");
    let others: Vec<_> = others.into_iter().filter(|date| date.to_string() != "2025-10-08").collect();
    assert_eq!(dates(&days), others);
    assert_chain(&days);
    assert_eq!((end.outcome, end.tally.failed), (JobOutcome::Partial, 1));
    stage.assert_tidy().await;
}

#[tokio::test]
async fn days_of_a_lane_share_a_commit_and_a_refused_batch_goes_day_by_day() {
    let stage = Stage::new().await;
    // A day in the middle is refused twice: with its batch, and then alone.
    stage
        .database
        .execute(
            "CREATE SEQUENCE execution.tries;
             CREATE FUNCTION execution.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
             'BEGIN
                 IF NEW.trading_date = ''2025-10-08'' AND nextval(''execution.tries'') <= 2 THEN
                     RAISE EXCEPTION USING ERRCODE = ''serialization_failure'';
                 END IF;
                 RETURN NEW;
             END';
             CREATE TRIGGER refuse BEFORE INSERT ON execution.model_days
                 FOR EACH ROW EXECUTE FUNCTION execution.refuse()",
        )
        .await;
    let job = job(&["random"], "2025-10-01", "2025-10-31");
    let executor = Running::start(stage.config()).await;

    stage.announce(&ready(&job)).await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    let days = completed_by(&events, "random");
    assert_eq!(dates(&days), sessions("2025-10-01", "2025-10-31"));
    assert_chain(&days);
    assert_eq!(end.outcome, JobOutcome::Completed);
    // A row's transaction is that of its commit.
    let commits = |condition: &str| {
        let query = format!(
            "SELECT count(DISTINCT xmin::text) FROM execution.model_days WHERE trading_date {condition}"
        );
        let database = &stage.database;
        async move { database.count(&query).await }
    };
    assert_eq!(commits("< '2025-10-08'").await, 5, "the days before the refused one went one by one");
    assert!(commits(">= '2025-10-08'").await < 18, "the others share commits");
    stage.assert_tidy().await;
}

#[tokio::test]
async fn an_error_of_the_database_is_no_death_of_the_worker() {
    let stage = Stage::new().await;
    // Four have died of the lane's first day. Then a day's commit is refused, cut off, and refused again.
    stage
        .database
        .execute(
            "CREATE FUNCTION execution.died() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN NEW.crashes := 4; RETURN NEW; END';
             CREATE TRIGGER died BEFORE INSERT ON execution.lanes FOR EACH ROW EXECUTE FUNCTION execution.died();
             CREATE SEQUENCE execution.tries;
             CREATE FUNCTION execution.fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
             'BEGIN
                 CASE nextval(''execution.tries'')
                     WHEN 1, 3 THEN RAISE EXCEPTION USING ERRCODE = ''serialization_failure'';
                     WHEN 2 THEN PERFORM pg_terminate_backend(pg_backend_pid());
                     ELSE NULL;
                 END CASE;
                 RETURN NEW;
             END';
             CREATE TRIGGER fail BEFORE INSERT ON execution.model_days FOR EACH ROW EXECUTE FUNCTION execution.fail()",
        )
        .await;
    let job = job(&["equal"], "2025-10-01", "2025-10-03");

    let executor = Running::start(stage.config()).await;
    stage.announce(&ready(&job)).await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!((end.tally.completed, end.tally.failed), (3, 0), "{events:?}");
    stage.assert_tidy().await;
}
