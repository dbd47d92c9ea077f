//! Visits: turns that a client takes which decides a lane's days by itself.

use storage::StorageError;
use storage::execution::{Lane, Take, Taker, take_for_visit};

use crate::world::{World, complete};

/// A visit to the portfolio of `m`.
async fn visit(world: &World) -> Take {
    take_for_visit(&world.pool, ("default", "m", 0), Taker::default()).await.unwrap()
}

/// Makes a client decide the lane's days.
async fn of_client(world: &World) {
    world
        .database
        .execute("UPDATE execution.lanes SET endpoint = 'mcp:default/m#0', endpoint_limit = 1")
        .await;
}

fn taken(take: Take) -> Lane {
    match take {
        Take::Taken(lane) => lane,
        other => panic!("it was not taken: {other:?}"),
    }
}

#[tokio::test]
async fn a_visit_needs_no_turn_that_is_due_and_fences_whoever_had_the_lane_before() {
    let world = World::new().await;
    let [lane] = world.plan(&["m"], 3).await[..] else { panic!("one lane") };
    of_client(&world).await;
    let before = world.take(lane, 0).await;
    assert!(matches!(visit(&world).await, Take::Held), "a worker has it");
    world.expire(lane).await;
    world.database.execute("UPDATE execution.lanes SET not_before = now() + interval '1 hour'").await;

    let visited = taken(visit(&world).await);

    assert_eq!((visited.id, visited.epoch), (lane, before.epoch + 1));
    assert!(matches!(visit(&world).await, Take::Held), "one visit at a time");
    let fenced = complete(&world.pool, &before, 0, false).await;
    assert!(matches!(fenced, Err(StorageError::Fenced)), "{fenced:?}");
    complete(&world.pool, &visited, 0, false).await.unwrap();
}

#[tokio::test]
async fn a_lane_that_decides_for_itself_is_not_visited() {
    let world = World::new().await;
    world.plan(&["m"], 3).await;

    assert!(matches!(visit(&world).await, Take::Over));
    of_client(&world).await;
    let other = take_for_visit(&world.pool, ("default", "other", 0), Taker::default()).await.unwrap();
    assert!(matches!(other, Take::Over));
}
