//! Taking turns.

use domain::values::ids::LaneId;
use storage::StorageError;
use storage::execution::{Take, Taker, put_down, renew, take};
use uuid::Uuid;

use crate::world::{World, complete};

#[tokio::test]
async fn a_turn_is_taken_by_one_of_many_at_once() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];

    let takers = (0..16).map(|_| {
        let pool = world.pool.clone();
        tokio::spawn(async move { take(&pool, lane, 0, Taker::default(), None).await.unwrap() })
    });
    let mut taken = 0;
    for taker in takers.collect::<Vec<_>>() {
        match taker.await.unwrap() {
            Take::Taken(_) => taken += 1,
            Take::Held => {}
            Take::Over => panic!("the turn is not over"),
        }
    }

    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_turn_is_taken_again_once_its_lease_ran_out() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let first = world.take(lane, 0).await;
    world.expire(lane).await;

    let second = world.take(lane, 0).await;

    assert_eq!((first.epoch + 1, first.crashes + 1), (second.epoch, second.crashes));
    assert!(matches!(take(&world.pool, lane, 0, Taker::default(), None).await.unwrap(), Take::Held));
}

#[tokio::test]
async fn a_lease_is_renewed_by_its_holder_and_by_nobody_else() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let first = world.take(lane, 0).await;
    world.expire(lane).await;

    renew(&world.pool, &first, None).await.unwrap();
    assert!(
        matches!(take(&world.pool, lane, 0, Taker::default(), None).await.unwrap(), Take::Held),
        "it was renewed"
    );
    world.expire(lane).await;
    let second = world.take(lane, 0).await;

    assert!(matches!(renew(&world.pool, &first, None).await, Err(StorageError::Fenced)));
    renew(&world.pool, &second, None).await.unwrap();
}

#[tokio::test]
async fn a_renewal_that_comes_after_the_turn_ended_changes_nothing() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let taken = world.take(lane, 0).await;
    complete(&world.pool, &taken, 0, true).await.unwrap();

    assert!(matches!(renew(&world.pool, &taken, None).await, Err(StorageError::Fenced)));
    assert_eq!(world.take(lane, 1).await.done, 1);
}

#[tokio::test]
async fn a_turn_that_is_not_the_current_one_is_over() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let waiting = world.plan(&["a"], 3).await[0];
    let taken = world.take(lane, 0).await;
    complete(&world.pool, &taken, 0, true).await.unwrap();

    for (what, lane, turn) in [
        ("an old turn", lane, 0),
        ("a turn to come", lane, 2),
        ("a lane that waits for its portfolio", waiting, 0),
        ("no lane", LaneId(Uuid::now_v7()), 0),
    ] {
        assert!(
            matches!(take(&world.pool, lane, turn, Taker::default(), None).await.unwrap(), Take::Over),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_turn_that_is_not_due_is_left_alone_until_it_is() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    world.database.execute("UPDATE execution.lanes SET not_before = now() + interval '1 h'").await;

    assert!(matches!(take(&world.pool, lane, 0, Taker::default(), None).await.unwrap(), Take::Over));
    world.database.execute("UPDATE execution.lanes SET not_before = now()").await;

    world.take(lane, 0).await;
}

#[tokio::test]
async fn a_turn_that_is_put_down_was_not_taken() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let first = world.take(lane, 0).await;

    put_down(&world.pool, lane, first.epoch).await.unwrap();
    let second = world.take(lane, 0).await;

    assert_eq!((first.crashes, second.crashes), (1, 1));
    let again = put_down(&world.pool, lane, first.epoch).await;
    assert!(matches!(again, Err(StorageError::Fenced)), "it is in other hands");
}

#[tokio::test]
async fn a_taking_that_failed_and_lives_is_followed_at_once_and_not_counted() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let died = world.take(lane, 0).await;
    world.expire(lane).await;
    let failed = world.take(lane, 0).await;

    let Take::Taken(next) =
        take(&world.pool, lane, 0, Taker { failed: Some(failed.epoch), ..Taker::default() }, None)
            .await
            .unwrap()
    else {
        panic!("no worker has it")
    };
    complete(&world.pool, &next, 0, false).await.unwrap();
    let after_a_day =
        take(&world.pool, lane, 0, Taker { failed: Some(next.epoch), ..Taker::default() }, None)
            .await
            .unwrap();

    assert_eq!((died.crashes, failed.crashes, next.crashes), (1, 2, 2));
    assert!(matches!(&after_a_day, Take::Taken(lane) if lane.crashes == 1), "{after_a_day:?}");
    let stranger = take(&world.pool, lane, 0, Taker { failed: Some(failed.epoch), ..Taker::default() }, None)
        .await
        .unwrap();
    assert!(matches!(stranger, Take::Held), "that epoch is over");
}
