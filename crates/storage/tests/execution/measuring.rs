//! What is measured: lanes by state, how long turns and first days wait, how large tables are.

use std::collections::BTreeMap;

use storage::execution::{LANE_STATES, Lane, count_running_jobs, lane_counts, note_first_day};
use storage::tables;

use crate::world::World;

/// The lanes and the age by state.
async fn states(world: &World) -> BTreeMap<String, (i64, f64)> {
    let counts = lane_counts(&world.pool).await.unwrap();
    counts.into_iter().map(|count| (count.state, (count.lanes, count.age_seconds))).collect()
}

#[tokio::test]
async fn a_lane_is_counted_in_the_state_that_it_is_in() {
    let world = World::new().await;
    let lanes = world.plan(&["a", "b", "c", "d", "e", "f"], 3).await;
    world.plan(&["a"], 3).await;
    let set = async |lane: usize, change: &str| {
        let statement = format!("UPDATE execution.lanes SET {change} WHERE id = '{}'", lanes[lane]);
        assert_eq!(world.database.execute(&statement).await, 1);
    };

    world.take(lanes[0], 0).await;
    set(1, "sent_at = now() - interval '40 s'").await;
    set(2, "not_before = now() + interval '1 hour'").await;
    set(3, "waits_for_endpoint = true").await;
    set(4, "state = 'parked'").await;
    set(5, "is_paused = true, not_before = now() + interval '1 hour'").await;
    let counted = states(&world).await;

    let lanes_in = |state: &str| counted.get(state).map_or(0, |(lanes, _)| *lanes);
    assert_eq!(LANE_STATES.map(lanes_in), [1; 7], "{counted:?}");
    let age = counted["ready"].1;
    assert!((40.0..60.0).contains(&age), "{age}");
    assert_eq!(count_running_jobs(&world.pool).await.unwrap(), 2);
    world.database.execute("UPDATE execution.lanes SET state = 'finished'").await;
    assert!(states(&world).await.is_empty());
}

#[tokio::test]
async fn a_jobs_first_day_is_measured_once_from_the_moment_that_it_could_begin() {
    let world = World::new().await;
    let [first, second] = world.plan(&["a", "b"], 3).await[..] else { panic!("two lanes") };
    let [waiting] = world.plan(&["a"], 3).await[..] else { panic!("one lane") };
    let lane = async |id| -> Lane { world.take(id, 0).await };
    let (first, second) = (lane(first).await, lane(second).await);
    // Its prices were ready five seconds before it was planned.
    world
        .database
        .execute(&format!(
            "INSERT INTO market.outbox (event_id, kind, exchange, routing_key, job_id, body, created_at)
             SELECT gen_random_uuid(), kind, 'e', kind, id, body, planned_at - interval '5 s' FROM execution.jobs
             WHERE id = '{}'",
            first.job
        ))
        .await;

    let waited = note_first_day(&world.pool, first.job, first.id).await.unwrap();
    let again = note_first_day(&world.pool, second.job, second.id).await.unwrap();

    assert!(waited.is_some_and(|seconds| (5.0..15.0).contains(&seconds)), "{waited:?}");
    assert_eq!(again, None);
    // The other job could begin only when the portfolio was handed to it.
    world.database.execute("UPDATE execution.jobs SET planned_at = now() - interval '1 hour'").await;
    world
        .database
        .execute(&format!(
            "UPDATE execution.lanes SET state = 'ready', sent_at = now() - interval '2 s' WHERE id = '{waiting}'"
        ))
        .await;
    let waiting = lane(waiting).await;
    let waited = note_first_day(&world.pool, waiting.job, waiting.id).await.unwrap();
    assert!(waited.is_some_and(|seconds| (2.0..15.0).contains(&seconds)), "{waited:?}");
}

#[tokio::test]
async fn a_service_knows_the_sizes_of_its_own_tables() {
    let world = World::new().await;
    world.plan(&["a"], 3).await;
    world.database.execute("ANALYZE execution.lanes").await;
    world.database.execute("UPDATE execution.outbox SET created_at = now() - interval '1 day'").await;

    let sizes = tables::sizes(&world.pool).await.unwrap();
    let oldest = tables::oldest_rows(&world.pool).await.unwrap();

    assert!(sizes.len() > 10 && sizes.iter().all(|size| size.schema == "execution"), "{sizes:?}");
    let lanes = sizes.iter().find(|size| size.table == "lanes").unwrap();
    assert!(lanes.rows == 1 && lanes.bytes >= 8_192, "{lanes:?}");
    assert_eq!((oldest[0].schema.as_str(), oldest[0].table.as_str()), ("execution", "outbox"));
    assert!((86_400.0..90_000.0).contains(&oldest[0].age_seconds), "{oldest:?}");
}
