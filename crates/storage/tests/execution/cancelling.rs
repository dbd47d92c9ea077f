//! A cancellation and the end of a job: whichever comes first is what counts.

use domain::job::{EndCause, JobOutcome, JobState};
use domain::values::ids::{JobId, LaneId};
use storage::execution::{JobCancellation, LaneEnd, begin_plan};
use storage::trigger::{Cancellation, cancel};
use storage::{Owner, PgPool, Result, StorageError};
use test_support::eventually;
use uuid::Uuid;

use crate::world::{World, close, complete, message, received};

/// Waits until a cancellation waits for the transaction that plans or ends the job.
async fn until_it_waits(world: &World) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE '-- cancellations::cancel lock%'";
    eventually("the cancellation waits", async || (world.database.count(waits).await == 1).then_some(()))
        .await;
}

async fn accepted(world: &World, job: JobId) -> PgPool {
    let accepted = "INSERT INTO trigger.jobs (id, body, accepted_at) VALUES ($1, '{}', now())";
    sqlx::query(accepted).bind(job.0).execute(&world.database.admin).await.unwrap();
    world.database.pool(Owner::Trigger).await
}

async fn cancel_job(trigger: &PgPool, job: JobId) -> Result<Cancellation> {
    cancel(trigger, job, "ops", &[message("job.cancel", job)]).await
}

async fn job_of(world: &World, lane: LaneId) -> JobId {
    JobId(world.column(lane, "job_id").await.parse::<Uuid>().unwrap())
}

#[tokio::test]
async fn a_cancellation_waits_for_the_end_of_the_job_and_finds_it_ended() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 1).await[0];
    let job = job_of(&world, lane).await;
    let trigger = accepted(&world, job).await;
    let taken = world.take(lane, 0).await;
    complete(&world.pool, &taken, 0, false).await.unwrap();
    let mut closing = LaneEnd::begin(&world.pool, &taken, None).await.unwrap();

    assert_eq!(closing.end_cause().await.unwrap(), EndCause::DaysEnded);
    let cancelling = tokio::spawn({
        let trigger = trigger.clone();
        async move { cancel_job(&trigger, job).await.unwrap() }
    });
    until_it_waits(&world).await;
    closing.end_job(JobOutcome::Completed).await.unwrap();
    closing.commit(&[]).await.unwrap();

    assert_eq!(cancelling.await.unwrap(), Cancellation::Ended(JobState::Completed));
    assert_eq!(world.database.count("SELECT count(*) FROM trigger.cancellations").await, 0);
    assert_eq!(world.database.count("SELECT count(*) FROM trigger.outbox").await, 0);
}

#[tokio::test]
async fn a_job_that_ends_after_its_cancellation_ends_as_cancelled() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 1).await[0];
    let job = job_of(&world, lane).await;
    let trigger = accepted(&world, job).await;
    let taken = world.take(lane, 0).await;
    complete(&world.pool, &taken, 0, false).await.unwrap();

    assert_eq!(cancel_job(&trigger, job).await.unwrap(), Cancellation::Cancelled { new: true });
    let mut closing = LaneEnd::begin(&world.pool, &taken, None).await.unwrap();

    assert_eq!(closing.end_cause().await.unwrap(), EndCause::Cancelled);
    closing.end_job(JobOutcome::Cancelled).await.unwrap();
    closing.commit(&[]).await.unwrap();
    assert_eq!(cancel_job(&trigger, job).await.unwrap(), Cancellation::Cancelled { new: false });
    assert_eq!(world.database.count("SELECT count(*) FROM trigger.outbox").await, 1, "one command");
}

#[tokio::test]
async fn a_plan_sees_a_cancellation_or_is_there_when_its_command_comes() {
    let world = World::new().await;
    let (before, during) = (JobId(Uuid::now_v7()), JobId(Uuid::now_v7()));
    let trigger = accepted(&world, before).await;
    accepted(&world, during).await;

    cancel_job(&trigger, before).await.unwrap();
    let plan = begin_plan(&world.pool, received(before), &[]).await.unwrap().unwrap();
    assert_eq!(plan.end_cause, EndCause::Cancelled);
    drop(plan);
    let mut plan = begin_plan(&world.pool, received(during), &[]).await.unwrap().unwrap();
    assert_eq!(plan.end_cause, EndCause::DaysEnded);
    plan.store(&[], &[], None).await.unwrap();
    let cancelling = tokio::spawn({
        let trigger = trigger.clone();
        async move { cancel_job(&trigger, during).await.unwrap() }
    });
    until_it_waits(&world).await;
    plan.commit(&[]).await.unwrap();

    assert_eq!(cancelling.await.unwrap(), Cancellation::Cancelled { new: true });
    assert!(JobCancellation::begin(&world.pool, during).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lane_that_was_cut_off_takes_no_write_any_more() {
    let world = World::new().await;
    let lane = world.plan(&["a"], 3).await[0];
    let job = job_of(&world, lane).await;
    let taken = world.take(lane, 0).await;
    complete(&world.pool, &taken, 0, false).await.unwrap();

    let mut cancelling = JobCancellation::begin(&world.pool, job).await.unwrap().unwrap();
    assert_eq!(cancelling.lanes.len(), 1);
    assert_eq!(cancelling.lanes[0].rest, [crate::world::day(1), crate::world::day(2)]);
    cancelling.store(&[]).await.unwrap();
    cancelling.commit(&[]).await.unwrap();

    assert!(matches!(complete(&world.pool, &taken, 1, false).await, Err(StorageError::Fenced)));
    assert!(matches!(close(&world.pool, &taken).await, Err(StorageError::Fenced)));
    assert!(JobCancellation::begin(&world.pool, job).await.unwrap().is_none(), "once is enough");
    let held = "SELECT count(*) FROM execution.portfolios WHERE holder IS NOT NULL";
    assert_eq!(world.database.count(held).await, 0);
}

#[tokio::test]
async fn nobody_cancels_a_job_that_nobody_accepted() {
    let world = World::new().await;
    let trigger = world.database.pool(Owner::Trigger).await;

    assert_eq!(cancel_job(&trigger, JobId(Uuid::now_v7())).await.unwrap(), Cancellation::Unknown);
}

#[tokio::test]
async fn jobs_that_share_portfolios_are_cancelled_at_once_without_standing_in_each_others_way() {
    let world = World::new().await;
    let models: Vec<String> = (0..12).map(|index| format!("model-{index}")).collect();
    let models: Vec<&str> = models.iter().map(String::as_str).collect();
    let mut jobs = Vec::new();
    for _ in 0..8 {
        let lane = world.plan(&models, 2).await[0];
        jobs.push(job_of(&world, lane).await);
    }

    let cancellations: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let pool = world.pool.clone();
            tokio::spawn(async move {
                let mut cancelling = JobCancellation::begin(&pool, job).await.unwrap().unwrap();
                cancelling.store(&[]).await.unwrap();
                cancelling.commit(&[]).await.unwrap();
            })
        })
        .collect();
    for cancellation in cancellations {
        cancellation.await.unwrap();
    }

    let open = "SELECT count(*) FROM execution.lanes WHERE state <> 'finished'";
    assert_eq!(world.database.count(open).await, 0);
    let held = "SELECT count(*) FROM execution.portfolios WHERE holder IS NOT NULL";
    assert_eq!(world.database.count(held).await, 0);
}
