//! The process that holds a lane is gone, or seems to be.

use std::collections::BTreeSet;

use domain::values::ids::LaneId;
use storage::StorageError;
use storage::execution::{Lane, Presence, Take, Taker, due_turns, renew, take, take_with_endpoint};
use test_support::eventually;

use crate::world::{World, complete};

/// Takes the first turn of a lane in the name of a process.
async fn take_as(world: &World, presence: &Presence, lane: LaneId) -> Take {
    let taker = Taker { holder: Some(presence.holder()), ..Taker::default() };
    take(&world.pool, lane, 0, taker, None).await.unwrap()
}

async fn taken_as(world: &World, presence: &Presence, lane: LaneId) -> Lane {
    match take_as(world, presence, lane).await {
        Take::Taken(lane) => lane,
        other => panic!("{other:?}"),
    }
}

/// Lanes whose turn is sent again now.
async fn due(world: &World) -> BTreeSet<LaneId> {
    let (transaction, turns) = due_turns(&world.pool).await.unwrap();
    transaction.rollback().await.unwrap();
    turns.into_iter().map(|turn| turn.lane).collect()
}

#[tokio::test]
async fn the_hold_of_a_process_ends_with_it_and_not_with_its_lease() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let (died, lives) =
        (Presence::begin(&world.pool).await.unwrap(), Presence::begin(&world.pool).await.unwrap());
    let held = taken_as(&world, &died, lane).await;
    assert!(matches!(take_as(&world, &lives, lane).await, Take::Held));

    drop(died);
    let next = eventually("the lane is free", async || match take_as(&world, &lives, lane).await {
        Take::Taken(lane) => Some(lane),
        Take::Held | Take::Over => None,
    })
    .await;

    assert_eq!(next.epoch, held.epoch + 1);
    let left = "SELECT count(*) FROM execution.lanes WHERE lease_until > now()";
    assert_eq!(world.database.count(left).await, 1);
    let written = complete(&world.pool, &held, 0, false).await;
    assert!(matches!(written, Err(StorageError::Fenced)), "who comes back writes nothing");
}

#[tokio::test]
async fn a_turn_that_came_while_it_was_held_is_due_when_nobody_has_it() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let (died, lives) =
        (Presence::begin(&world.pool).await.unwrap(), Presence::begin(&world.pool).await.unwrap());
    taken_as(&world, &died, lane).await;
    assert!(matches!(take_as(&world, &lives, lane).await, Take::Held));
    assert!(due(&world).await.is_empty(), "its worker lives");

    drop(died);

    eventually("the turn is due", async || (due(&world).await == [lane].into()).then_some(())).await;
}

#[tokio::test]
async fn a_copy_of_a_turn_that_came_while_it_was_held_delays_nothing_and_is_not_sent_again() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let presence = Presence::begin(&world.pool).await.unwrap();
    let held = taken_as(&world, &presence, lane).await;
    assert!(matches!(take_as(&world, &presence, lane).await, Take::Held));

    complete(&world.pool, &held, 0, true).await.unwrap();

    assert!(due(&world).await.is_empty());
    world.take(lane, 1).await;
}

#[tokio::test]
async fn a_process_whose_number_has_changed_renews_under_the_new_one() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let lost = Presence::begin(&world.pool).await.unwrap();
    let held = taken_as(&world, &lost, lane).await;
    let now = Presence::begin(&world.pool).await.unwrap();

    renew(&world.pool, &held, Some(now.holder())).await.unwrap();
    drop(lost);

    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND query LIKE '-- presence::begin%'";
    eventually("the first connection has ended", async || {
        (world.database.count(waits).await == 1).then_some(())
    })
    .await;
    assert!(matches!(take_as(&world, &now, lane).await, Take::Held));
}

#[tokio::test]
async fn a_lane_of_a_process_that_is_gone_takes_no_place_of_its_endpoint() {
    let world = World::new().await;
    let lanes = world.plan(&["a", "b"], 3).await;
    let endpoint = "UPDATE execution.lanes SET endpoint = 'http://localhost', endpoint_limit = 1";
    world.database.execute(endpoint).await;
    let died = Presence::begin(&world.pool).await.unwrap();
    taken_as(&world, &died, lanes[0]).await;
    let next = async || {
        let taken = take_with_endpoint(&world.pool, lanes[1], 0, Taker::default()).await.unwrap();
        matches!(taken, Take::Taken(_))
    };
    assert!(!next().await);

    drop(died);

    eventually("there is room for the other lane", async || {
        let again = "UPDATE execution.lanes SET not_before = NULL";
        world.database.execute(again).await;
        next().await.then_some(())
    })
    .await;
}
