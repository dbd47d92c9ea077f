//! Planning jobs at once.

use domain::ids::JobId;
use storage::execution::begin_plan;
use uuid::Uuid;

use crate::world::{JOB_ENDED, World, close, plan, store};

#[tokio::test]
async fn a_job_is_planned_by_one_of_many_at_once() {
    let world = World::new().await;
    let job = JobId(Uuid::now_v7());

    let planners: Vec<_> = (0..8)
        .map(|_| {
            let pool = world.pool.clone();
            tokio::spawn(async move {
                let Some(mut plan) = begin_plan(&pool, job, "kind", "{}", None).await.unwrap() else {
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

    let mut given_up = begin_plan(&world.pool, job, "kind", "{}", None).await.unwrap().unwrap();
    store(&mut given_up, &["a"], 2).await.unwrap();
    drop(given_up);

    assert!(begin_plan(&world.pool, job, "kind", "{}", None).await.unwrap().is_some());
}

/// Jobs over the same portfolios, some new and some known, named in different orders, while lanes of
/// earlier jobs close: nobody waits for anybody in a circle, and each portfolio has one holder.
#[tokio::test]
async fn plans_over_the_same_portfolios_do_not_deadlock() {
    let world = World::new().await;

    for round in 0..25 {
        let known = ["a", "b", "c"].map(str::to_owned);
        let new = ["d", "e", "f"].map(|model| format!("{model}-{round}"));
        let models: Vec<String> = known.into_iter().chain(new).collect();
        let planners: Vec<_> = (0..6)
            .map(|number| {
                let (pool, mut models) = (world.pool.clone(), models.clone());
                models.rotate_left(number);
                if number % 2 == 1 {
                    models.reverse();
                }
                tokio::spawn(async move {
                    let models: Vec<&str> = models.iter().map(String::as_str).collect();
                    plan(&pool, &models, 1).await.unwrap()
                })
            })
            .collect();
        for planner in planners {
            planner.await.unwrap();
        }

        let ready = "SELECT count(*) FROM execution.lanes WHERE state = 'ready'";
        assert_eq!(world.database.count(ready).await, 6, "round {round}");
        // While the next lanes close, the round's last job is planned over the same portfolios.
        while world.database.count(ready).await > 0 {
            close_all_ready(&world, &models).await;
        }
    }

    let held = "SELECT count(*) FROM execution.portfolios WHERE holder IS NOT NULL";
    assert_eq!(world.database.count(held).await, 0);
    let jobs = world.database.count("SELECT count(*) FROM execution.jobs").await;
    assert_eq!(world.messages(JOB_ENDED).await, jobs, "every job ended once");
}

async fn close_all_ready(world: &World, models: &[String]) {
    let ready: Vec<(Uuid,)> = sqlx::query_as("SELECT id FROM execution.lanes WHERE state = 'ready'")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    let planner = {
        let (pool, models) = (world.pool.clone(), models.to_vec());
        let another = ready.len() == 6 && world.database.count("SELECT count(*) FROM execution.jobs").await % 7 == 6;
        tokio::spawn(async move {
            let models: Vec<&str> = models.iter().map(String::as_str).collect();
            if another {
                plan(&pool, &models, 1).await.unwrap();
            }
        })
    };
    let mut closers = Vec::new();
    for (lane,) in ready {
        let taken = world.take(domain::ids::LaneId(lane), 0).await;
        let pool = world.pool.clone();
        closers.push(tokio::spawn(async move { close(&pool, &taken).await.unwrap() }));
    }
    for closer in closers {
        closer.await.unwrap();
    }
    planner.await.unwrap();
}
