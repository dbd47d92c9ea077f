//! Planning jobs at once.

use domain::values::ids::{JobId, LaneId};
use storage::execution::{JobCancellation, LaneBegin, begin_plan, continue_plan, unplanned};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::world::{JOB_ENDED, World, close, new_lanes, plan, received, store};

#[tokio::test]
async fn a_job_is_planned_by_one_of_many_at_once() {
    let world = World::new().await;
    let job = JobId(Uuid::now_v7());

    let planners: Vec<_> = (0..8)
        .map(|_| {
            let pool = world.pool.clone();
            tokio::spawn(async move {
                let Some(mut plan) = begin_plan(&pool, received(job), &[]).await.unwrap() else {
                    return false;
                };
                store(&mut plan, &["a", "b"], 2, LaneBegin::Ready).await.unwrap();
                plan.commit(&[]).await.unwrap();
                true
            })
        })
        .collect();
    let mut planned = 0;
    for planner in planners {
        planned += usize::from(planner.await.unwrap());
    }

    assert_eq!(planned, 1);
    assert_eq!(world.database.count("SELECT count(*) FROM execution.lanes").await, 2);
}

#[tokio::test]
async fn a_plan_that_is_not_committed_leaves_the_job_to_the_next_one() {
    let world = World::new().await;
    let job = JobId(Uuid::now_v7());

    let mut given_up = begin_plan(&world.pool, received(job), &[]).await.unwrap().unwrap();
    store(&mut given_up, &["a"], 2, LaneBegin::Ready).await.unwrap();
    drop(given_up);

    assert!(begin_plan(&world.pool, received(job), &[]).await.unwrap().is_some());
}

/// Plans the next two portfolios of a job of four, as the executor does.
async fn plan_two(world: &World, job: JobId, models: [&str; 2], planned: Option<usize>) -> usize {
    let mut plan = begin_plan(&world.pool, received(job), &[]).await.unwrap().unwrap();
    let before = plan.planned_before;
    let lanes = new_lanes(&mut plan, &models, 3, LaneBegin::Parked).await.unwrap();
    let all = plan.store(&lanes, &[], planned).await.unwrap();
    if planned.is_none() {
        assert_eq!((all, plan.stored_days().await.unwrap()), (4, 12));
    }
    plan.commit(&[]).await.unwrap();
    before
}

#[tokio::test]
async fn a_plan_in_parts_goes_on_where_the_last_one_ended_and_ends_once() {
    let world = World::new().await;
    let job = JobId(Uuid::now_v7());
    let lanes = "SELECT count(*) FROM execution.lanes WHERE state = 'parked'";

    assert_eq!(plan_two(&world, job, ["a", "b"], Some(2)).await, 0);
    let given_up = begin_plan(&world.pool, received(job), &[]).await.unwrap().unwrap();
    assert_eq!(given_up.planned_before, 2);
    drop(given_up);
    assert!(JobCancellation::begin(&world.pool, job).await.unwrap().is_none(), "its planner ends it");
    assert_eq!(world.database.count(lanes).await, 2);

    assert_eq!(plan_two(&world, job, ["c", "d"], None).await, 2);
    assert!(begin_plan(&world.pool, received(job), &[]).await.unwrap().is_none());
    assert!(continue_plan(&world.pool, job).await.unwrap().is_none());
    assert_eq!(world.database.count(lanes).await, 4);
    assert_eq!(JobCancellation::begin(&world.pool, job).await.unwrap().unwrap().lanes.len(), 4);
}

#[tokio::test]
async fn a_job_that_is_planned_in_part_is_among_those_that_were_forgotten() {
    let world = World::new().await;
    let job = JobId(Uuid::now_v7());
    world
        .database
        .execute(&format!(
            "INSERT INTO market.outbox (event_id, kind, exchange, routing_key, job_id, body)
             VALUES (gen_random_uuid(), 'modelday.data.ready.v1', 'modelday.events', 'x', '{job}', '{{}}')"
        ))
        .await;
    let forgotten = async || unplanned(&world.pool, 0).await.unwrap().len();

    assert_eq!(forgotten().await, 1);
    plan_two(&world, job, ["a", "b"], Some(2)).await;
    assert_eq!(forgotten().await, 1);
    plan_two(&world, job, ["c", "d"], None).await;
    assert_eq!(forgotten().await, 0);
}

/// Jobs over the same portfolios, some new and some known, named in different orders, while lanes of
/// earlier jobs close: there is no deadlock, and each portfolio has one holder.
#[tokio::test]
async fn plans_over_the_same_portfolios_do_not_deadlock() {
    let world = World::new().await;
    let ready = "SELECT count(*) FROM execution.lanes WHERE state = 'ready'";

    for round in 0..20 {
        let known = ["a", "b", "c"].map(str::to_owned);
        let new = ["d", "e", "f"].map(|model| format!("{model}-{round}"));
        let models: Vec<String> = known.into_iter().chain(new).collect();
        let turned = |number: usize| {
            let mut models = models.clone();
            models.rotate_left(number);
            if number % 2 == 1 {
                models.reverse();
            }
            models
        };
        let planners: Vec<_> = (0..6).map(|number| spawn_plan(&world, turned(number))).collect();
        for planner in planners {
            planner.await.unwrap();
        }
        assert_eq!(world.database.count(ready).await, 6, "round {round}");

        let late = spawn_plan(&world, turned(3));
        while world.database.count(ready).await > 0 {
            close_all_ready(&world).await;
        }
        late.await.unwrap();
        while world.database.count(ready).await > 0 {
            close_all_ready(&world).await;
        }
    }

    let held = "SELECT count(*) FROM execution.portfolios WHERE holder IS NOT NULL";
    assert_eq!(world.database.count(held).await, 0);
    assert_eq!(world.messages(JOB_ENDED).await, 20 * 7, "every job ended once");
}

fn spawn_plan(world: &World, models: Vec<String>) -> JoinHandle<()> {
    let pool = world.pool.clone();
    tokio::spawn(async move {
        let models: Vec<&str> = models.iter().map(String::as_str).collect();
        plan(&pool, &models, 1).await.unwrap();
    })
}

/// Closes all lanes that hold a portfolio, at once.
async fn close_all_ready(world: &World) {
    let ready: Vec<(Uuid,)> = sqlx::query_as("SELECT id FROM execution.lanes WHERE state = 'ready'")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    let mut closers = Vec::new();
    for (lane,) in ready {
        let taken = world.take(LaneId(lane), 0).await;
        let pool = world.pool.clone();
        closers.push(tokio::spawn(async move { close(&pool, &taken).await.unwrap() }));
    }
    for closer in closers {
        closer.await.unwrap();
    }
}
