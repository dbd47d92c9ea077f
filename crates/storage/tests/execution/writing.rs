//! Days of several lanes in one commit: each as if it had been alone.

use domain::accounting::fill::Fill;
use storage::StorageError;
use storage::execution::{DayCommit, DayRow, DayWriter, commit_day};

use test_support::PATIENCE;

use crate::world::{LANE_CONTINUE, World, completed, fill};

const ROWS: &str = "SELECT string_agg(row::text, '; ' ORDER BY row::text)
    FROM (
        SELECT model, trading_date, d.state, attempt, revision, config_hash, cash, holdings, value_at_open,
            value_at_close, done, turn, crashes, lease_until IS NULL AS free
        FROM execution.model_days d JOIN execution.lanes USING (portfolio_id)
    ) AS row";
const FILLS: &str = "SELECT string_agg(row::text, '; ' ORDER BY row::text)
    FROM (SELECT model, f.* FROM execution.fills f JOIN execution.lanes USING (portfolio_id)) AS row";

fn fills(count: u32) -> Vec<Fill> {
    (0..count).map(|sequence| Fill { sequence, ..fill() }).collect()
}

/// Days of three lanes: without fills; with one; with two and the end of the turn.
async fn days(world: &World, models: &[&str; 3]) -> Vec<DayCommit> {
    let mut days = Vec::new();
    for (lane, count) in world.plan(models, 3).await.into_iter().zip(0..) {
        days.push(completed(&world.take(lane, 0).await, 0, count == 2, &fills(count)));
    }
    days
}

/// A text without what differs between two portfolios.
async fn told(world: &World, query: &str, model: &str) -> String {
    let ids = r"[0-9a-f]{8}-[0-9a-f-]{27}";
    let query = format!(
        "SELECT regexp_replace(replace(coalesce(told, ''), '{model}', ''), '{ids}', '', 'g')
         FROM ({}) AS rows (told)",
        query.replace(
            "execution.lanes",
            &format!("(SELECT * FROM execution.lanes WHERE model LIKE '{model}%') AS lanes")
        ),
    );
    world.database.text(&query).await
}

#[tokio::test]
async fn days_that_go_together_write_what_they_would_have_written_alone() {
    let world = World::new().await;
    let alone = days(&world, &["alone-a", "alone-b", "alone-c"]).await;
    let together = days(&world, &["joint-a", "joint-b", "joint-c"]).await;
    let mut writer = DayWriter::open(&world.pool).await.unwrap();

    let mut one_by_one = Vec::new();
    for day in &alone {
        one_by_one.push(commit_day(&world.pool, day).await.unwrap());
    }
    let written = writer.commit(&together).await.unwrap();

    for query in [ROWS, FILLS] {
        let (alone, joint) = (told(&world, query, "alone-").await, told(&world, query, "joint-").await);
        assert!(!alone.is_empty());
        assert_eq!(joint, alone);
    }
    let next: Vec<_> = written.into_iter().map(|written| written.unwrap().next_turn).collect();
    assert!(next[0].is_none() && next[1].is_none());
    let next = next[2].clone().unwrap();
    let stored: (i64, bool) =
        sqlx::query_as("SELECT id, relay_from > created_at FROM execution.outbox WHERE event_id = $1")
            .bind(next.event_id)
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(stored, (next.id, true), "the next turn's message is known as it stands in the outbox");
    assert_eq!((next.kind.as_str(), next.job_id), (LANE_CONTINUE, together[2].events[0].job.0));
    let last = one_by_one[2].next_turn.clone().unwrap();
    assert_eq!(last.event_id, alone[2].next_turn.clone().unwrap().event_id);
}

#[tokio::test]
async fn a_lane_in_other_hands_does_not_keep_the_others_from_writing() {
    let world = World::new().await;
    let mut days = days(&world, &["a", "b", "c"]).await;
    days[1].epoch -= 1;
    let mut writer = DayWriter::open(&world.pool).await.unwrap();
    let before = world.rows().await;

    let written = writer.commit(&days).await.unwrap();

    let took_effect: Vec<bool> = written.iter().map(Option::is_some).collect();
    assert_eq!(took_effect, [true, false, true]);
    // The one that is refused would have had a fill and an event; the last one has two, and two messages.
    assert_eq!(world.rows().await, [before[0] + 2, before[1] + 2, before[2] + 3]);
    let again = writer.commit(&days).await.unwrap();
    assert!(again.iter().all(Option::is_none), "each is committed once");
}

#[tokio::test]
async fn one_day_that_is_refused_by_the_database_leaves_nothing_of_the_others() {
    let world = World::new().await;
    let mut days = days(&world, &["a", "b", "c"]).await;
    let good = days[1].row.clone();
    if let DayRow::Completed { fills, .. } = &mut days[1].row {
        fills[0].quantity = 0;
    }
    let mut writer = DayWriter::open(&world.pool).await.unwrap();
    let before = world.rows().await;

    let refused = writer.commit(&days).await;

    assert!(matches!(refused, Err(StorageError::Database(_))), "{refused:?}");
    assert_eq!(world.rows().await, before);
    days[1].row = good;
    assert!(writer.answers().await, "the connection is as good as before");
    assert!(writer.commit(&days).await.unwrap().iter().all(Option::is_some));
}

#[tokio::test]
async fn a_lane_that_somebody_has_locked_is_not_waited_for_with_the_others() {
    let world = World::new().await;
    let days = days(&world, &["a", "b", "c"]).await;
    let mut writer = DayWriter::open(&world.pool).await.unwrap();
    let mut lock = world.database.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM execution.lanes WHERE id = $1 FOR UPDATE")
        .bind(days[0].lane.0)
        .execute(&mut *lock)
        .await
        .unwrap();

    let refused = tokio::time::timeout(PATIENCE, writer.commit(&days)).await.expect("it is not waited for");

    assert!(refused.is_err_and(|problem| problem.is_transient()), "while the lock is held");
    lock.rollback().await.unwrap();
    assert!(writer.commit(&days).await.unwrap().iter().all(Option::is_some));
}
