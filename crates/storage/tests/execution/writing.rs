//! Days of a lane in one commit: each as if it had been alone, and all of them or none.

use domain::accounting::fill::Fill;
use storage::StorageError;
use storage::execution::{DayOutcome, Lane, LaneCommit, commit_days, recorded_days};

use crate::world::{LANE_CONTINUE, World, completed, day, fill, message};

const ROWS: &str = "SELECT string_agg(row::text, '; ' ORDER BY row::text)
    FROM (
        SELECT trading_date, d.state, attempt, detail, revision, config_hash, cash, holdings, value_at_open,
            value_at_close, done, turn, crashes, lease_until IS NULL AS free
        FROM execution.model_days d JOIN execution.lanes USING (portfolio_id)
        WHERE model = $model
    ) AS row";
const FILLS: &str = "SELECT string_agg(row::text, '; ' ORDER BY row::text)
    FROM (
        SELECT trading_date, revision, sequence, side, symbol, quantity, price, fee, cash_after, position_after
        FROM execution.fills JOIN execution.lanes USING (portfolio_id)
        WHERE model = $model
    ) AS row";

/// Three days of a lane, with no, one and two fills; the turn ends with the last.
async fn days(world: &World, model: &str) -> LaneCommit {
    let lane = world.plan(&[model], 4).await[0];
    batch(&world.take(lane, 0).await)
}

fn batch(lane: &Lane) -> LaneCommit {
    let fills = |count: u32| (0..count).map(|sequence| Fill { sequence, ..fill() }).collect::<Vec<_>>();
    let day = |place: usize, count| completed(lane, place, false, &fills(count)).days.remove(0);
    LaneCommit {
        days: vec![day(0, 0), day(1, 1), day(2, 2)],
        next_turn: Some(message(LANE_CONTINUE, lane.job)),
        ..completed(lane, 0, false, &[])
    }
}

async fn stored(world: &World, query: &str, model: &str) -> String {
    world.database.text(&query.replace("$model", &format!("'{model}'"))).await
}

#[tokio::test]
async fn days_that_are_committed_together_write_what_they_would_have_written_one_by_one() {
    let world = World::new().await;
    let (alone, together) = (days(&world, "alone").await, days(&world, "together").await);

    let mut last = None;
    for day in alone.clone().one_by_one() {
        assert!(last.is_none(), "the turn ends with the last day");
        last = commit_days(&world.pool, &day).await.unwrap();
    }
    let next = commit_days(&world.pool, &together).await.unwrap().unwrap();

    for query in [ROWS, FILLS] {
        let expected = stored(&world, query, "alone").await;
        assert!(!expected.is_empty());
        assert_eq!(stored(&world, query, "together").await, expected);
    }
    let in_outbox: (i64, bool) =
        sqlx::query_as("SELECT id, relay_from > created_at FROM execution.outbox WHERE event_id = $1")
            .bind(next.event_id)
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(in_outbox, (next.id, true), "the next turn's message is known as it stands in the outbox");
    assert_eq!(last.unwrap().event_id, alone.next_turn.unwrap().event_id);
    let mut expected = vec![next.event_id];
    expected.extend(together.days.iter().flat_map(|day| day.events.iter().map(|event| event.event_id)));
    let written: Vec<sqlx::types::Uuid> =
        sqlx::query_scalar("SELECT event_id FROM execution.outbox WHERE event_id = ANY($1) ORDER BY id")
            .bind(&expected)
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(written, expected, "the command first, then the events in the order of the days");
}

#[tokio::test]
async fn days_of_one_commit_are_recorded_in_the_order_in_which_they_were_run() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 4).await[0];
    let lane = world.take(lane, 0).await;
    let mut commit = batch(&lane);
    let last = &mut commit.days[2];
    last.outcome = DayOutcome::Failed("no price".to_owned());
    commit_days(&world.pool, &commit).await.unwrap();

    let days = recorded_days(&world.pool, lane.job, lane.portfolio).await.unwrap();

    let seen: Vec<_> = days.iter().map(|day| (day.date, day.day_index)).collect();
    assert_eq!(seen, [(day(0), 0), (day(1), 1), (day(2), 2)]);
    let base = days[2].base.map(|base| base.date);
    assert_eq!(base, Some(day(1)), "the failed day continued from the one before it in the same commit");
}

#[tokio::test]
async fn a_batch_of_a_stale_epoch_writes_nothing() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 4).await[0];
    let paused = world.take(lane, 0).await;
    world.expire(lane).await;
    let current = world.take(lane, 0).await;
    let before = world.rows().await;

    let refused = commit_days(&world.pool, &batch(&paused)).await;

    assert!(matches!(refused, Err(StorageError::Fenced)), "{refused:?}");
    assert_eq!(world.rows().await, before);
    commit_days(&world.pool, &batch(&current)).await.unwrap();
    let again = commit_days(&world.pool, &batch(&current)).await;
    assert!(matches!(again, Err(StorageError::Fenced)), "a batch is committed once: {again:?}");
}

#[tokio::test]
async fn a_batch_beyond_the_lanes_dates_writes_nothing() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 2).await[0];
    let lane = Lane { dates: (0..4).map(day).collect(), ..world.take(lane, 0).await };
    let before = world.rows().await;

    let refused = commit_days(&world.pool, &batch(&lane)).await;

    assert!(matches!(refused, Err(StorageError::Fenced)), "{refused:?}");
    assert_eq!(world.rows().await, before);
}

#[tokio::test]
async fn a_day_that_the_database_refuses_leaves_nothing_of_its_batch() {
    let world = World::new().await;
    let mut commit = days(&world, "a").await;
    let good = commit.days[1].outcome.clone();
    if let DayOutcome::Completed(row) = &mut commit.days[1].outcome {
        row.fills[0].quantity = 0;
    }
    let before = world.rows().await;

    let refused = commit_days(&world.pool, &commit).await;

    assert!(refused.is_err_and(|problem| problem.is_refusal()));
    assert_eq!(world.rows().await, before);
    commit.days[1].outcome = good;
    commit_days(&world.pool, &commit).await.unwrap();
    assert_eq!(world.rows().await, [before[0] + 3, before[1] + 3, before[2] + 4]);
}
