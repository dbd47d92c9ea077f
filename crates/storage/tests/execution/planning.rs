//! Planning jobs at once.

use domain::values::ids::{JobId, LaneId};
use storage::execution::begin_plan;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::world::{JOB_ENDED, World, close, plan, received, store};

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
                store(&mut plan, &["a", "b"], 2).await.unwrap();
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
    store(&mut given_up, &["a"], 2).await.unwrap();
    drop(given_up);

    assert!(begin_plan(&world.pool, received(job), &[]).await.unwrap().is_some());
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
