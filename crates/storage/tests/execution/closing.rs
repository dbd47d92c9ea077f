//! Lanes at their end: the portfolio goes on, and the job ends once.

use storage::StorageError;
use storage::execution::{LaneEnd, Take, Taker, take};

use crate::world::{JOB_ENDED, LANE_CONTINUE, World, close, complete};

#[tokio::test]
async fn a_finished_lane_hands_its_portfolio_to_the_oldest_waiter_with_its_message() {
    let world = World::new().await;
    let first = world.plan(&["a"], 1).await[0];
    let second = world.plan(&["a"], 1).await[0];
    let third = world.plan(&["a"], 1).await[0];
    assert_eq!(world.column(second, "state").await, "waiting");
    assert_eq!(world.messages(LANE_CONTINUE).await, 1, "a lane that waits has no message");

    for (lane, next) in [(first, Some(second)), (second, Some(third)), (third, None)] {
        let taken = world.take(lane, 0).await;
        complete(&world.pool, &taken, 0, false).await.ok();
        let closing = LaneEnd::begin(&world.pool, &taken, None).await.unwrap();
        assert_eq!(closing.next.as_ref().map(|next| next.id), next);
        drop(closing);
        assert_eq!(world.column(lane, "state").await, "ready", "what is not committed did not happen");
        let before = world.messages(LANE_CONTINUE).await;

        close(&world.pool, &taken).await.unwrap();

        assert_eq!(world.column(lane, "state").await, "finished");
        let holder = "SELECT count(*) FROM execution.portfolios p
            JOIN execution.lanes l ON l.id = p.holder AND l.state = 'ready'";
        assert_eq!(world.database.count(holder).await, i64::from(next.is_some()));
        assert_eq!(world.messages(LANE_CONTINUE).await - before, i64::from(next.is_some()));
    }
}

#[tokio::test]
async fn a_lane_that_is_in_other_hands_is_not_closed() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 1).await[0];
    let waiter = world.plan(&["a"], 1).await[0];
    let paused = world.take(lane, 0).await;
    world.expire(lane).await;
    let current = world.take(lane, 0).await;

    assert!(matches!(close(&world.pool, &paused).await, Err(StorageError::Fenced)));
    assert_eq!(world.column(waiter, "state").await, "waiting");
    assert!(close(&world.pool, &current).await.unwrap());
    assert!(matches!(close(&world.pool, &current).await, Err(StorageError::Fenced)), "once is enough");

    assert!(matches!(take(&world.pool, lane, 0, Taker::default(), None).await.unwrap(), Take::Over));
    assert_eq!(world.messages(JOB_ENDED).await, 1);
}

#[tokio::test]
async fn of_lanes_that_close_at_once_exactly_one_ends_the_job() {
    let world = World::new().await;
    let models: Vec<String> = (0..24).map(|index| format!("model-{index}")).collect();
    let models: Vec<&str> = models.iter().map(String::as_str).collect();

    for round in 1..=5 {
        let mut lanes = Vec::new();
        for lane in world.plan(&models, 1).await {
            lanes.push(world.take(lane, 0).await);
        }
        let closers: Vec<_> = lanes
            .into_iter()
            .map(|lane| {
                let pool = world.pool.clone();
                tokio::spawn(async move { close(&pool, &lane).await.unwrap() })
            })
            .collect();
        let mut ended = 0;
        for closer in closers {
            ended += usize::from(closer.await.unwrap());
        }

        assert_eq!(ended, 1, "round {round}");
        assert_eq!(world.messages(JOB_ENDED).await, round);
        let open = "SELECT count(*) FROM execution.jobs WHERE state = 'running' OR open_lanes <> 0";
        assert_eq!(world.database.count(open).await, 0, "round {round}");
    }
}
