//! Looking for forgotten lanes.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::simulation::lane::resend_waits;
use domain::values::ids::LaneId;
use storage::execution::{
    Line, OverdueTurn, due_turns, free_turns, lock_turns, lost_turns, overdue_keys, resend_turns,
};
use storage::{Result, Transaction};
use uuid::Uuid;

use crate::world::{LANE_CONTINUE, World, message};

const PATIENCE: Duration = Duration::from_secs(60);
/// Below every lane's id.
const START: LaneId = LaneId(Uuid::nil());

type Found = Result<(Transaction, Vec<OverdueTurn>)>;

async fn lanes(found: Found) -> BTreeSet<LaneId> {
    let (transaction, turns) = found.unwrap();
    transaction.rollback().await.unwrap();
    turns.into_iter().map(|turn| turn.lane).collect()
}

/// The turns that seem lost while so many messages stand in line.
async fn lost(world: &World, messages: u32) -> Vec<OverdueTurn> {
    let line = Line { routing_key: LANE_CONTINUE.to_owned(), messages };
    lost_turns(&world.pool, &resend_waits(PATIENCE), &[line]).await.unwrap()
}

async fn lost_lanes(world: &World, messages: u32) -> BTreeSet<LaneId> {
    lost(world, messages).await.into_iter().map(|turn| turn.lane).collect()
}

/// The turns were sent so long ago.
async fn age(world: &World, seconds: u32) {
    let statement = format!("UPDATE execution.lanes SET sent_at = now() - interval '{seconds} s'");
    world.database.execute(&statement).await;
}

#[tokio::test]
async fn only_lanes_that_no_worker_has_are_found() {
    let world = World::new().await;
    let models = ["fresh", "forgotten", "at work", "abandoned", "later", "due", "finished"];
    let all = world.plan(&models, 1).await;
    let _waiting = world.plan(&["fresh"], 1).await[0];
    for (model, change) in [
        ("forgotten", "sent_at = now() - interval '61 s'"),
        ("at work", "sent_at = now() - interval '1 h', lease_until = now() + interval '1 h'"),
        ("abandoned", "sent_at = now() - interval '1 h', lease_until = now() - interval '61 s'"),
        ("later", "sent_at = now() - interval '1 h', not_before = now() + interval '1 h'"),
        ("due", "not_before = now() - interval '1 s'"),
        ("finished", "sent_at = now() - interval '1 h', state = 'finished'"),
    ] {
        let statement = format!("UPDATE execution.lanes SET {change} WHERE model = '{model}'");
        assert_eq!(world.database.execute(&statement).await, 1);
    }

    let [fresh, forgotten, _, abandoned, _, due, _] = all[..] else { panic!("seven lanes") };
    assert_eq!(lost_lanes(&world, 0).await, [forgotten, abandoned].into());
    assert_eq!(lanes(due_turns(&world.pool).await).await, [due].into());
    assert_eq!(lanes(free_turns(&world.pool, START).await).await, [fresh, forgotten, abandoned, due].into());
}

#[tokio::test]
async fn a_turn_that_is_sent_again_stays_the_same_turn_and_gets_twice_the_patience() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 1).await[0];

    for (too_soon, due) in [(59, 61), (119, 121), (239, 241)] {
        age(&world, too_soon).await;
        assert!(lost(&world, 0).await.is_empty(), "after {too_soon} s");
        age(&world, due).await;
        let found = lost(&world, 0).await;
        assert_eq!((found[0].lane, found[0].turn), (lane, 0), "after {due} s");
        let (transaction, locked) = lock_turns(&world.pool, &found).await.unwrap();
        resend_turns(transaction, &locked, &[message(LANE_CONTINUE, locked[0].job)]).await.unwrap();
        assert!(lost(&world, 0).await.is_empty(), "it has just been sent");
    }

    assert_eq!(world.messages(LANE_CONTINUE).await, 4);
    world.take(lane, 0).await;
}

#[tokio::test]
async fn of_more_turns_than_messages_stand_in_line_the_oldest_are_lost() {
    let world = World::new().await;
    let all = world.plan(&["a", "b", "c", "d"], 1).await;
    for (model, seconds) in [("a", 0), ("b", 70), ("c", 90), ("d", 80)] {
        let statement = format!(
            "UPDATE execution.lanes SET sent_at = now() - interval '{seconds} s' WHERE model = '{model}'"
        );
        world.database.execute(&statement).await;
    }

    let [_, b, c, d] = all[..] else { panic!("four lanes") };
    for (messages, expected) in
        [(0, [b, c, d].into()), (1, [c, d].into()), (2, [c].into()), (3, BTreeSet::new())]
    {
        assert_eq!(lost_lanes(&world, messages).await, expected, "{messages} messages stand in line");
    }
}

#[tokio::test]
async fn of_turns_that_were_sent_together_those_that_were_taken_stand_in_no_line() {
    let world = World::new().await;
    let all = world.plan(&["a", "b", "c"], 1).await;
    age(&world, 100).await;

    for lane in all {
        let statement = format!(
            "UPDATE execution.lanes SET lease_until = CASE WHEN id = '{lane}' THEN now() - interval '61 s' END"
        );
        world.database.execute(&statement).await;
        assert_eq!(lost_lanes(&world, 2).await, [lane].into());
    }
}

#[tokio::test]
async fn a_turn_that_may_stand_in_line_is_waited_for_a_hundred_times_as_long() {
    let world = World::new().await;
    let lanes = world.plan(&["a", "taken"], 1).await;
    let lane = lanes[0];
    world.take(lanes[1], 0).await;

    for (seconds, expected) in [(5_999, BTreeSet::new()), (6_001, [lane].into())] {
        let statement =
            format!("UPDATE execution.lanes SET sent_at = now() - interval '{seconds} s' WHERE model = 'a'");
        world.database.execute(&statement).await;
        assert_eq!(lost_lanes(&world, 1).await, expected, "after {seconds} s");
        let unknown = lost_turns(&world.pool, &resend_waits(PATIENCE), &[]).await.unwrap();
        assert_eq!(unknown.len(), expected.len(), "after {seconds} s, with a broker that does not answer");
    }
}

#[tokio::test]
async fn a_turn_that_may_stand_in_line_is_not_sent_again_before_workers_come_to_later_ones() {
    let world = World::new().await;
    let lanes = world.plan(&["a", "taken"], 1).await;
    age(&world, 1_000_000).await;
    assert!(lost_lanes(&world, 2).await.is_empty(), "no turn is taken");

    world.take(lanes[1], 0).await;
    assert!(lost_lanes(&world, 1).await.is_empty(), "the other one was sent at the same time");

    let later = "UPDATE execution.lanes SET sent_at = sent_at + interval '1 s' WHERE model = 'taken'";
    world.database.execute(later).await;
    assert_eq!(lost_lanes(&world, 1).await, [lanes[0]].into(), "the line has passed it");
}

#[tokio::test]
async fn of_ten_thousand_turns_that_stand_in_line_for_a_day_none_is_sent_again() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 1).await[0];
    world
        .database
        .execute(&format!(
            "INSERT INTO execution.portfolios (id, experiment, model, trial)
                 SELECT gen_random_uuid(), 'many', 'a', trial FROM generate_series(1, 9999) AS trial;
             INSERT INTO execution.lanes (id, job_id, portfolio_id, model, trial, routing_key, state, dates)
                 SELECT gen_random_uuid(), job_id, p.id, p.model, p.trial, routing_key, 'ready', dates
                 FROM execution.portfolios AS p, execution.lanes AS l WHERE p.trial > 0 AND l.id = '{lane}'"
        ))
        .await;
    let aged = "UPDATE execution.lanes SET sent_at = now() - interval '1 day' + trial * interval '1 ms'";
    world.database.execute(aged).await;
    // Workers have come to the hundredth; its lane goes on.
    let taken =
        "UPDATE execution.lanes SET lease_until = now() + interval '1 h' WHERE trial BETWEEN 91 AND 100";
    world.database.execute(taken).await;
    world.database.execute("UPDATE execution.lanes SET state = 'finished' WHERE trial <= 90").await;

    assert!(lost_lanes(&world, 9_899).await.is_empty());
    assert_eq!(lost(&world, 9_000).await.len(), 899, "more turns than messages");
}

#[tokio::test]
async fn a_turn_that_seemed_lost_and_was_taken_or_sent_again_meanwhile_is_left_alone() {
    let world = World::new().await;
    let all = world.plan(&["a", "b", "c"], 1).await;
    age(&world, 61).await;
    let found = lost(&world, 0).await;
    assert_eq!(found.len(), 3);

    world.take(all[0], 0).await;
    let again = "UPDATE execution.lanes SET sent_at = now() WHERE model = 'b'";
    world.database.execute(again).await;

    assert_eq!(lanes(lock_turns(&world.pool, &found).await).await, [all[2]].into());
}

#[tokio::test]
async fn no_turn_is_overdue_while_messages_wait_in_the_outbox_for_long() {
    let waits = resend_waits(PATIENCE);
    let world = World::new().await;
    world.plan(&["a"], 1).await;
    age(&world, 61).await;
    let keys = async || overdue_keys(&world.pool, &waits).await.unwrap();

    assert_eq!(keys().await, [LANE_CONTINUE], "a message has just been written");
    world.database.execute("UPDATE execution.outbox SET created_at = now() - interval '2 s'").await;
    assert!(keys().await.is_empty());
    world.database.execute("UPDATE execution.outbox SET sent_at = now()").await;

    assert_eq!(keys().await, [LANE_CONTINUE]);
}

#[tokio::test]
async fn two_that_look_at_once_find_each_lane_once() {
    let world = World::new().await;
    world.plan(&["a", "b", "c"], 1).await;

    let (_first, of_first) = free_turns(&world.pool, START).await.unwrap();
    let (_second, of_second) = free_turns(&world.pool, START).await.unwrap();

    assert_eq!((of_first.len(), of_second.len()), (3, 0));
}
