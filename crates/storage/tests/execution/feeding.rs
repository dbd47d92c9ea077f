//! Feeding parked lanes, a few of each job at a time.

use domain::job::Priority;
use domain::values::ids::{JobId, LaneId};
use storage::execution::{
    Feeding, JobCancellation, LaneBegin, LaneEnd, ReceivedJob, begin_plan, continue_plan, park, parked_keys,
};
use uuid::Uuid;

use crate::world::{LANE_CONTINUE, World, close, new_lanes, received, store};

/// Plans a job whose lanes are parked.
async fn plan_parked(world: &World, priority: Priority, models: &[&str]) -> JobId {
    let job = JobId(Uuid::now_v7());
    let paced = ReceivedJob { priority, is_paced: true, ..received(job) };
    let mut plan = begin_plan(&world.pool, paced, &[]).await.unwrap().unwrap();
    store(&mut plan, models, 1, LaneBegin::Parked).await.unwrap();
    plan.commit(&[]).await.unwrap();
    job
}

async fn begin(world: &World) -> Feeding {
    Feeding::begin(&world.pool, LANE_CONTINUE, 10).await.unwrap().unwrap()
}

/// Of each job in line: its turns in line and its parked lanes.
async fn line(world: &World) -> Vec<(JobId, u32, u32)> {
    let feeding = begin(world).await;
    let jobs = feeding.jobs.iter().map(|job| (job.job, job.standing, job.parked)).collect();
    feeding.commit(&[]).await.unwrap();
    jobs
}

async fn feed(world: &World, turns: &[(JobId, u32)]) -> Vec<LaneId> {
    let mut feeding = begin(world).await;
    let fed = feeding.feed(turns).await.unwrap();
    feeding.commit(&[]).await.unwrap();
    fed.into_iter().map(|lane| lane.id).collect()
}

#[tokio::test]
async fn a_job_gets_as_many_turns_in_line_as_it_is_given_in_the_order_of_its_plan() {
    let world = World::new().await;
    let first = plan_parked(&world, Priority::Low, &["a", "b", "c"]).await;
    let second = plan_parked(&world, Priority::High, &["d"]).await;
    assert_eq!(parked_keys(&world.pool, &[LANE_CONTINUE, "other"]).await.unwrap(), [LANE_CONTINUE]);
    assert_eq!(line(&world).await, [(first, 0, 3), (second, 0, 1)]);

    let mut feeding = begin(&world).await;
    let priorities: Vec<Priority> = feeding.jobs.iter().map(|job| job.priority).collect();
    let fed = feeding.feed(&[(first, 2), (second, 5)]).await.unwrap();
    feeding.commit(&[]).await.unwrap();

    assert_eq!(priorities, [Priority::Low, Priority::High]);

    assert_eq!(fed.len(), 3);
    assert_eq!(line(&world).await, [(first, 2, 1), (second, 1, 0)]);
    let by_ordinal = "SELECT count(*) FROM execution.lanes WHERE state = 'parked' AND ordinal =
        (SELECT max(ordinal) FROM execution.lanes WHERE model <> 'd')";
    assert_eq!(world.database.count(by_ordinal).await, 1, "the last one is left");
}

#[tokio::test]
async fn a_turn_in_hand_and_one_that_rests_leave_their_place_and_one_that_waits_for_its_endpoint_does_not() {
    let world = World::new().await;
    let job = plan_parked(&world, Priority::Normal, &["a", "b", "c", "d", "e"]).await;
    let fed = feed(&world, &[(job, 4)]).await;
    world.take(fed[0], 0).await;
    for (lane, change) in [
        (fed[1], "not_before = now() + interval '1 h'"),
        (fed[2], "not_before = now() + interval '1 h', waits_for_endpoint = true"),
    ] {
        let statement = format!("UPDATE execution.lanes SET {change} WHERE id = '{lane}'");
        assert_eq!(world.database.execute(&statement).await, 1);
    }

    assert_eq!(line(&world).await, [(job, 2, 1)]);
}

#[tokio::test]
async fn a_parked_lane_has_a_turn_that_no_earlier_message_takes() {
    let world = World::new().await;
    let job = plan_parked(&world, Priority::Normal, &["a"]).await;
    let lane = feed(&world, &[(job, 1)]).await[0];
    let taken = world.take(lane, 0).await;

    park(&world.pool, &taken).await.unwrap();

    assert_eq!(line(&world).await, [(job, 0, 1)]);
    assert!(park(&world.pool, &taken).await.is_err(), "it is in no hand");
    assert_eq!(feed(&world, &[(job, 1)]).await, [lane]);
    world.take(lane, 1).await;
}

#[tokio::test]
async fn lanes_of_a_job_that_is_planned_in_part_wait_until_all_are() {
    let world = World::new().await;
    let job = JobId(Uuid::now_v7());
    let mut plan = begin_plan(&world.pool, received(job), &[]).await.unwrap().unwrap();
    let lanes = new_lanes(&mut plan, &["a", "b"], 1, LaneBegin::Parked).await.unwrap();
    plan.store(&lanes, &[], Some(2)).await.unwrap();
    plan.commit(&[]).await.unwrap();
    assert_eq!(line(&world).await, []);

    let mut plan = continue_plan(&world.pool, job).await.unwrap().unwrap();
    plan.store(&[], &[], None).await.unwrap();
    plan.commit(&[]).await.unwrap();

    assert_eq!(line(&world).await, [(job, 0, 2)]);
}

#[tokio::test]
async fn one_process_at_a_time_feeds_a_queue_and_waits_for_no_locked_lane() {
    let world = World::new().await;
    let job = plan_parked(&world, Priority::Normal, &["a", "b"]).await;
    let locked = "SELECT id FROM execution.lanes WHERE model = 'a' FOR UPDATE";
    let mut elsewhere = world.database.admin.begin().await.unwrap();
    sqlx::query(locked).execute(&mut *elsewhere).await.unwrap();

    let mut feeding = begin(&world).await;
    assert!(Feeding::begin(&world.pool, LANE_CONTINUE, 10).await.unwrap().is_none());
    assert!(Feeding::begin(&world.pool, "other", 10).await.unwrap().is_some());

    assert_eq!(feeding.feed(&[(job, 2)]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_waiter_of_a_large_job_is_parked_when_it_gets_its_portfolio_and_cancelling_passes_it_on() {
    let world = World::new().await;
    let holder = world.plan(&["a"], 1).await[0];
    let large = plan_parked(&world, Priority::Normal, &["a"]).await;
    let small = world.plan(&["a"], 1).await[0];

    let taken = world.take(holder, 0).await;
    let closing = LaneEnd::begin(&world.pool, &taken, None).await.unwrap();
    assert_eq!(closing.next, None, "it is fed, not sent");
    closing.commit(&[]).await.unwrap();
    assert_eq!(line(&world).await, [(large, 0, 1)]);

    let mut cancelling = JobCancellation::begin(&world.pool, large).await.unwrap().unwrap();
    let next: Vec<LaneId> = cancelling.next.iter().map(|lane| lane.id).collect();
    assert_eq!(next, [small]);
    cancelling.store(&[]).await.unwrap();
    cancelling.commit(&[]).await.unwrap();
    let taken = world.take(small, 0).await;
    assert!(close(&world.pool, &taken).await.unwrap());
}
