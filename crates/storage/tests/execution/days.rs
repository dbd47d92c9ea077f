//! A day takes effect once, as a whole, and only for the worker that has the lane.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::accounting::fill::Fill;
use rust_decimal::Decimal;
use sqlx::{AssertSqlSafe, Executor};
use storage::StorageError;
use storage::execution::{history, position_after};

use crate::world::{LANE_CONTINUE, World, complete, complete_with, day, fill};

#[tokio::test]
async fn a_stale_epoch_writes_nothing() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let paused = world.take(lane, 0).await;
    world.expire(lane).await;
    let current = world.take(lane, 0).await;
    let before = world.rows().await;

    for ends_turn in [false, true] {
        let refused = complete(&world.pool, &paused, 0, ends_turn).await;
        assert!(matches!(refused, Err(StorageError::Fenced)), "{refused:?}");
    }

    assert_eq!(world.rows().await, before);
    assert_eq!(
        (world.column(lane, "done").await, world.column(lane, "turn").await),
        ("0".into(), "0".into())
    );
    complete(&world.pool, &current, 0, false).await.unwrap();
    let refused = complete(&world.pool, &paused, 1, false).await;
    assert!(matches!(refused, Err(StorageError::Fenced)), "{refused:?}");
}

#[tokio::test]
async fn a_day_is_committed_once_even_by_its_rightful_worker() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let lane = world.take(lane, 0).await;
    complete(&world.pool, &lane, 0, false).await.unwrap();
    let before = world.rows().await;

    let again = complete(&world.pool, &lane, 0, false).await;

    assert!(matches!(again, Err(StorageError::Fenced)), "{again:?}");
    assert_eq!(world.rows().await, before);
}

#[tokio::test]
async fn the_last_day_of_a_slice_ends_the_turn_and_writes_the_next_message_at_once() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let taken = world.take(lane, 0).await;
    complete(&world.pool, &taken, 0, false).await.unwrap();
    assert_eq!((world.column(lane, "turn").await, world.messages(LANE_CONTINUE).await), ("0".into(), 1));

    complete(&world.pool, &taken, 1, true).await.unwrap();

    assert_eq!((world.column(lane, "turn").await, world.messages(LANE_CONTINUE).await), ("1".into(), 2));
    assert_eq!(world.column(lane, "lease_until").await, "none", "the next turn can be taken at once");
    let next = world.take(lane, 1).await;
    assert_eq!((next.done, next.crashes), (2, 1));
}

#[tokio::test]
async fn a_days_rows_become_visible_together() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 200).await[0];
    let lane = world.take(lane, 0).await;
    let (stop, admin) = (Arc::new(AtomicBool::new(false)), world.database.admin.clone());
    let stopped = stop.clone();
    let reader = tokio::spawn(async move {
        let (mut looks, mut torn) = (0, Vec::new());
        while !stopped.load(Ordering::Relaxed) {
            // One statement, one snapshot.
            let seen: (i64, i64, i64, i64) = sqlx::query_as(
                "SELECT (SELECT count(*) FROM execution.model_days), (SELECT count(*) FROM execution.fills),
                    (SELECT count(*) FROM execution.outbox WHERE kind LIKE 'modelday.%'),
                    (SELECT done::bigint FROM execution.lanes)",
            )
            .fetch_one(&admin)
            .await
            .unwrap();
            looks += 1;
            if seen.0 != seen.1 || seen.1 != seen.2 || seen.2 != seen.3 {
                torn.push(seen);
            }
        }
        (looks, torn)
    });

    for done in 0..200 {
        complete(&world.pool, &lane, done, false).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let (looks, torn) = reader.await.unwrap();

    assert!(looks > 10, "the reader looked {looks} times");
    assert_eq!(torn, []);
    assert_eq!(world.rows().await, [200, 200, 201]);
}

#[tokio::test]
async fn a_day_that_the_database_refuses_leaves_nothing() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let lane = world.take(lane, 0).await;
    let before = world.rows().await;
    let below = |change: fn(&mut Fill)| {
        let mut fill = fill();
        change(&mut fill);
        fill
    };

    for (what, fill) in [
        ("cash below zero", below(|fill| fill.cash_after = Decimal::new(-1, 2))),
        ("no shares", below(|fill| fill.quantity = 0)),
        ("a fee below zero", below(|fill| fill.fee = Decimal::NEGATIVE_ONE)),
        ("a position beyond the type, which is one below zero", below(|fill| fill.position_after = u64::MAX)),
    ] {
        let refused = complete_with(&world.pool, &lane, 0, true, &[fill]).await;
        assert!(matches!(refused, Err(StorageError::Database(_))), "{what}: {refused:?}");
        assert_eq!(world.rows().await, before, "{what}");
        assert_eq!(world.column(lane.id, "done").await, "0", "{what}");
    }
    complete(&world.pool, &lane, 0, true).await.unwrap();
}

#[tokio::test]
async fn cash_and_positions_below_zero_are_refused_by_the_database() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    complete(&world.pool, &world.take(lane, 0).await, 0, false).await.unwrap();

    for change in [
        "UPDATE execution.model_days SET cash = -0.01",
        "UPDATE execution.model_days SET holdings = '{\"NVDA\": 1, \"QQQ\": -1}'",
        "UPDATE execution.model_days SET cash = NULL",
        "UPDATE execution.fills SET quantity = -1",
        "UPDATE execution.fills SET quantity = 0",
        "UPDATE execution.fills SET cash_after = -0.01",
        "UPDATE execution.fills SET position_after = -1",
        "UPDATE execution.fills SET price = 0",
    ] {
        let refused = world.pool.execute(AssertSqlSafe(change)).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code()).unwrap_or_default();
        assert_eq!(code, "23514", "{change}: {refused}");
    }
}

#[tokio::test]
async fn the_history_begins_with_the_latest_day_before_the_range() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 6).await[0];
    let lane = world.take(lane, 0).await;
    for done in [0, 1, 2, 3] {
        complete(&world.pool, &lane, done, false).await.unwrap();
    }

    let history = history(&world.pool, lane.portfolio, day(3), day(5)).await.unwrap();
    let base = domain::simulation::model_day::DayRef { date: day(2), revision: 1 };
    let position = position_after(&world.pool, lane.portfolio, base).await.unwrap();

    assert_eq!(history.winners.keys().copied().collect::<Vec<_>>(), [day(2), day(3)]);
    assert_eq!(history.completed_before, 3);
    assert_eq!(position.position.cash(), Decimal::from(9_979));
    assert_eq!(position.position.quantity(&"NVDA".parse().unwrap()), 2);
}
