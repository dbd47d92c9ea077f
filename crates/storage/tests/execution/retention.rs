//! Records of agents' days that are deleted because of their age.

use std::time::Duration;

use storage::Pruned;
use storage::execution::{has_journals, prune_conversations, prune_endpoint_minutes, prune_journal};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3_600);

/// Three attempts with a call each: one ended two hours ago, one a minute ago, and one goes on since three hours ago.
async fn attempts(world: &World) -> domain::values::ids::JobId {
    let lane = world.plan(&["a"], 3).await[0];
    let job = world.take(lane, 0).await.job;
    let rows = "
        INSERT INTO execution.attempts (portfolio_id, trading_date, revision, attempt, job_id, ended, started_at, ended_at)
        SELECT portfolio_id, date '2025-10-01' + number, 1, 1, job_id, CASE WHEN number < 2 THEN 'finished' END,
            now() - interval '3 hours', CASE number WHEN 0 THEN now() - interval '2 hours' WHEN 1 THEN now() END
        FROM execution.lanes, generate_series(0, 2) AS number";
    world.database.execute(rows).await;
    let calls =
        "INSERT INTO execution.journal (portfolio_id, trading_date, revision, attempt, step, index, kind)
        SELECT portfolio_id, trading_date, revision, attempt, 0, 0, 'call' FROM execution.attempts";
    world.database.execute(calls).await;
    job
}

#[tokio::test]
async fn the_journals_of_attempts_that_ended_long_ago_are_deleted_and_no_others() {
    let world = World::new().await;
    let job = attempts(&world).await;
    assert!(has_journals(&world.pool, job).await.unwrap());

    assert_eq!(prune_journal(&world.pool, HOUR).await.unwrap(), Pruned { rows: 1, more: false });
    assert_eq!(prune_journal(&world.pool, HOUR).await.unwrap(), Pruned { rows: 0, more: false });

    let left = "SELECT string_agg(trading_date::text, ' ' ORDER BY trading_date) FROM execution.journal";
    assert_eq!(world.database.text(left).await, "2025-10-02 2025-10-03");
    assert_eq!(world.database.count("SELECT count(*) FROM execution.attempts").await, 3);
    assert!(!has_journals(&world.pool, job).await.unwrap(), "the job cannot be replayed any more");
}

#[tokio::test]
async fn old_conversations_are_deleted_with_their_journals() {
    let world = World::new().await;
    let job = attempts(&world).await;
    let said = "INSERT INTO execution.transcripts
            (portfolio_id, trading_date, job_id, revision, attempt, reason, body, written_at)
        SELECT portfolio_id, trading_date, job_id, revision, attempt, 'finished', '{}', ended_at
        FROM execution.attempts WHERE ended IS NOT NULL";
    world.database.execute(said).await;
    let sent = "INSERT INTO execution.recorded_conversations
            (experiment, model, trial, trading_date, turns, sent_by, sent_at)
        SELECT 'default', 'b', 0, date '2025-10-01' + number, '[]', 'joe', now() - interval '2 hours' * number
        FROM generate_series(0, 2) AS number";
    world.database.execute(sent).await;

    assert_eq!(prune_conversations(&world.pool, HOUR).await.unwrap(), Pruned { rows: 2, more: false });

    assert_eq!(world.database.count("SELECT count(*) FROM execution.transcripts").await, 1);
    assert_eq!(world.database.count("SELECT count(*) FROM execution.recorded_conversations").await, 1);
    assert_eq!(world.database.count("SELECT count(*) FROM execution.journal").await, 2);
    assert!(!has_journals(&world.pool, job).await.unwrap());
}

#[tokio::test]
async fn used_up_minutes_of_endpoints_are_deleted() {
    let world = World::new().await;
    let minutes = "INSERT INTO execution.endpoint_minutes
        SELECT 'https://api.example', date_trunc('minute', now()) - interval '40 minutes' * number, 1
        FROM generate_series(0, 3) AS number";
    world.database.execute(minutes).await;

    assert_eq!(prune_endpoint_minutes(&world.pool, HOUR).await.unwrap(), Pruned { rows: 2, more: false });
}
