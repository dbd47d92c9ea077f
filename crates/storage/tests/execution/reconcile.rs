//! Looking for forgotten lanes.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::simulation::lane::resend_waits;
use domain::values::ids::LaneId;
use storage::execution::{Waited, overdue_turns, resend_turns};

use uuid::Uuid;

use crate::world::{LANE_CONTINUE, World, message};

const PATIENCE: Duration = Duration::from_secs(60);
/// Below every lane's id.
const START: LaneId = LaneId(Uuid::nil());

async fn found(world: &World, waited: Waited<'_>) -> BTreeSet<LaneId> {
    let (transaction, lanes) = overdue_turns(&world.pool, waited, START).await.unwrap();
    transaction.rollback().await.unwrap();
    lanes.into_iter().map(|lane| lane.lane).collect()
}

#[tokio::test]
async fn only_lanes_that_no_worker_has_are_found() {
    let waits = resend_waits(PATIENCE);
    let world = World::new().await;
    let models = ["fresh", "forgotten", "at work", "abandoned", "later", "due", "finished"];
    let lanes = world.plan(&models, 1).await;
    let _waiting = world.plan(&["fresh"], 1).await[0];
    for (model, change) in [
        ("forgotten", "sent_at = now() - interval '61 s'"),
        ("at work", "sent_at = now() - interval '1 h', lease_until = now() + interval '1 h'"),
        ("abandoned", "sent_at = now() - interval '1 h', lease_until = now() - interval '1 s'"),
        ("later", "sent_at = now() - interval '1 h', not_before = now() + interval '1 h'"),
        ("due", "not_before = now() - interval '1 s'"),
        ("finished", "sent_at = now() - interval '1 h', state = 'finished'"),
    ] {
        let statement = format!("UPDATE execution.lanes SET {change} WHERE model = '{model}'");
        assert_eq!(world.database.execute(&statement).await, 1);
    }

    let [fresh, forgotten, _, abandoned, _, due, _] = lanes[..] else { panic!("seven lanes") };
    assert_eq!(found(&world, Waited::AtLeast(&waits)).await, [forgotten, abandoned, due].into());
    assert_eq!(found(&world, Waited::AnyTime).await, [fresh, forgotten, abandoned, due].into());
}

#[tokio::test]
async fn a_turn_that_is_sent_again_stays_the_same_turn_and_gets_twice_the_patience() {
    let waits = resend_waits(PATIENCE);
    let world = World::new().await;
    let lane = world.plan(&["a"], 1).await[0];
    let age = async |seconds: u32| {
        let statement = format!("UPDATE execution.lanes SET sent_at = now() - interval '{seconds} s'");
        world.database.execute(&statement).await;
    };

    for (too_soon, due) in [(59, 61), (119, 121), (239, 241)] {
        age(too_soon).await;
        assert!(found(&world, Waited::AtLeast(&waits)).await.is_empty(), "after {too_soon} s");
        age(due).await;
        let (transaction, lanes) = overdue_turns(&world.pool, Waited::AtLeast(&waits), START).await.unwrap();
        assert_eq!((lanes[0].lane, lanes[0].turn), (lane, 0), "after {due} s");
        resend_turns(transaction, &lanes, &[message(LANE_CONTINUE, lanes[0].job)]).await.unwrap();
        assert!(found(&world, Waited::AtLeast(&waits)).await.is_empty(), "it has just been sent");
    }

    assert_eq!(world.messages(LANE_CONTINUE).await, 4);
    world.take(lane, 0).await;
}

#[tokio::test]
async fn two_that_look_at_once_find_each_lane_once() {
    let world = World::new().await;
    world.plan(&["a", "b", "c"], 1).await;

    let (_first, of_first) = overdue_turns(&world.pool, Waited::AnyTime, START).await.unwrap();
    let (_second, of_second) = overdue_turns(&world.pool, Waited::AnyTime, START).await.unwrap();

    assert_eq!((of_first.len(), of_second.len()), (3, 0));
}
