//! What a job may spend, and how many tokens an endpoint gets in a minute: both are decided by functions of the schema.

use rust_decimal::Decimal;
use storage::PgPool;

use crate::world::World;

async fn job_with(world: &World, allowed: u32) -> sqlx::types::Uuid {
    let lane = world.plan(&["a"], 1).await[0];
    let job = world.take(lane, 0).await.job.0;
    sqlx::query("INSERT INTO execution.budgets (job_id, allowed) VALUES ($1, $2)")
        .bind(job)
        .bind(Decimal::from(allowed))
        .execute(&world.pool)
        .await
        .unwrap();
    job
}

async fn reserve(pool: &PgPool, job: sqlx::types::Uuid, dollars: u32, lost: u32) -> String {
    sqlx::query_scalar("SELECT execution.reserve_dollars($1, $2, $3)")
        .bind(job)
        .bind(Decimal::from(dollars))
        .bind(Decimal::from(lost))
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn charge(pool: &PgPool, job: sqlx::types::Uuid, reserved: u32, cost: Option<u32>) {
    sqlx::query("SELECT execution.settle_dollars($1, $2, $3)")
        .bind(job)
        .bind(Decimal::from(reserved))
        .bind(cost.map(Decimal::from))
        .execute(pool)
        .await
        .unwrap();
}

async fn budget(pool: &PgPool) -> String {
    sqlx::query_scalar("SELECT reserved || ' reserved, ' || spent || ' spent' FROM execution.budgets")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_call_waits_for_what_others_have_reserved_and_is_refused_when_the_rest_is_too_small() {
    let world = World::new().await;
    let job = job_with(&world, 10).await;
    let pool = &world.pool;

    assert_eq!(reserve(pool, job, 6, 0).await, "allowed");
    assert_eq!(reserve(pool, job, 5, 0).await, "budget busy", "4 are free, and 10 once the first is done");
    charge(pool, job, 6, Some(3)).await;
    assert_eq!(budget(pool).await, "0 reserved, 3 spent");
    assert_eq!(reserve(pool, job, 8, 0).await, "over budget", "7 are left");
    assert_eq!(reserve(pool, job, 7, 0).await, "allowed");
    assert_eq!(budget(pool).await, "7 reserved, 3 spent");
}

#[tokio::test]
async fn what_is_not_known_to_be_free_counts_as_spent() {
    let world = World::new().await;
    let job = job_with(&world, 10).await;
    let pool = &world.pool;

    reserve(pool, job, 2, 0).await;
    assert_eq!(reserve(pool, job, 2, 2).await, "allowed");
    assert_eq!(budget(pool).await, "2 reserved, 2 spent", "the first copy may have been billed");
    charge(pool, job, 2, None).await;
    assert_eq!(budget(pool).await, "0 reserved, 4 spent", "without a cost, the reservation is the cost");
}

#[tokio::test]
async fn a_job_without_a_budget_spends_without_a_limit() {
    let world = World::new().await;

    assert_eq!(reserve(&world.pool, sqlx::types::Uuid::nil(), 1_000_000, 0).await, "allowed");
}

#[tokio::test]
async fn a_minute_takes_its_tokens_and_a_larger_call_an_empty_minute() {
    let world = World::new().await;
    let reserve = async |endpoint: &str, needed: i64| -> bool {
        sqlx::query_scalar("SELECT execution.reserve_tokens($1, 100, $2)")
            .bind(endpoint)
            .bind(needed)
            .fetch_one(&world.pool)
            .await
            .unwrap()
    };
    // Repeated when a minute ends in between.
    let within_a_minute = async || {
        let begun: String = world.database.text("SELECT date_trunc('minute', now())::text").await;
        let answers =
            (reserve("a", 60).await, reserve("a", 50).await, reserve("a", 40).await, reserve("a", 1).await);
        let large = (reserve("b", 500).await, reserve("b", 1).await);
        let ended = world.database.text("SELECT date_trunc('minute', now())::text").await;
        world.database.execute("DELETE FROM execution.endpoint_minutes").await;
        (begun == ended).then_some((answers, large))
    };

    let found = match within_a_minute().await {
        Some(found) => found,
        None => within_a_minute().await.expect("no minute ends twice in a row"),
    };

    assert_eq!(found, ((true, false, true, false), (true, false)));
}
