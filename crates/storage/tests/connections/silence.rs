//! The network to Postgres stops without a word, for good.

use std::time::Duration;

use storage::execution::Presence;
use storage::outbox::{Part, RelayConnection};
use storage::status::EventNotifications;
use storage::{Database, Owner, PgPool, StorageError};
use test_support::{Proxy, TestDatabase, eventually};
use tokio::time::{Instant, timeout};

/// Longer than any statement but the longest may take.
const LIMIT: Duration = Duration::from_secs(20);

struct World {
    database: TestDatabase,
    proxy: Proxy,
    pool: PgPool,
}

/// A pool of one connection, which is open.
async fn world(owner: Owner) -> World {
    let database = TestDatabase::new().await;
    let proxy = Proxy::before(database.url()).await;
    let settings = Database { url: proxy.instead_of(database.url()), max_connections: 1 };
    let pool = storage::pool(&settings, owner).unwrap();
    select(&pool).await.unwrap();
    World { database, proxy, pool }
}

async fn select(pool: &PgPool) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT 1").fetch_one(pool).await
}

#[tokio::test]
async fn a_statement_without_an_answer_ends_and_the_next_one_has_another_connection() {
    let World { database: _database, proxy, pool } = world(Owner::Trigger).await;
    let mut connection = pool.acquire().await.unwrap();

    proxy.fall_silent();
    let statement = tokio::spawn(async move { sqlx::query("SELECT 1").execute(&mut connection).await });
    eventually("the statement counts as slow", async || (pool.slow_statements() == 1).then_some(())).await;
    let answer = timeout(LIMIT, statement).await.expect("it ends").unwrap();

    assert!(StorageError::from(answer.unwrap_err()).is_transient());
    assert_eq!(pool.slow_statements(), 0);
    assert_eq!(timeout(Duration::from_secs(5), select(&pool)).await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_in_silence_leaves_its_place_in_the_pool() {
    let World { database: _database, proxy, pool } = world(Owner::Trigger).await;
    let transaction = pool.begin().await.unwrap();

    proxy.fall_silent();
    drop(transaction);

    assert_eq!(timeout(LIMIT, select(&pool)).await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_commit_without_an_answer_ends() {
    let World { database: _database, proxy, pool } = world(Owner::Trigger).await;
    let transaction = pool.begin().await.unwrap();

    proxy.fall_silent();

    assert!(timeout(LIMIT, transaction.commit()).await.expect("it ends").unwrap_err().is_transient());
}

#[tokio::test]
async fn a_connection_that_fell_silent_while_it_was_idle_is_replaced_before_it_is_used() {
    let World { database: _database, proxy, pool } = world(Owner::Trigger).await;

    // Only connections that were idle for a second are tested.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    proxy.fall_silent();

    assert_eq!(timeout(Duration::from_secs(5), select(&pool)).await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_keeps_no_place_in_the_pool_and_ends_in_the_server() {
    let World { database, proxy: _proxy, pool } = world(Owner::Trigger).await;

    let sleep = sqlx::query("SELECT pg_sleep(30)").execute(&pool);
    assert!(timeout(Duration::from_millis(200), sleep).await.is_err());

    assert_eq!(timeout(Duration::from_secs(5), select(&pool)).await.unwrap().unwrap(), 1);
    let asleep = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    let began = Instant::now();
    eventually("the statement has ended", async || (database.count(asleep).await == 0).then_some(())).await;
    assert!(began.elapsed() < Duration::from_secs(10), "it ended by itself");
}

#[tokio::test]
async fn a_relays_connection_of_its_own_ends_in_silence_too() {
    let World { database: _database, proxy, pool } = world(Owner::Trigger).await;
    let mut relay = RelayConnection::open(&pool, Part::Except("modelday.commands")).await.unwrap();
    assert!(relay.take(10).await.unwrap().is_empty());

    proxy.fall_silent();

    assert!(timeout(LIMIT, relay.take(10)).await.expect("it ends").unwrap_err().is_transient());
}

#[tokio::test]
async fn who_listens_for_notifications_learns_that_none_can_come() {
    let database = TestDatabase::new().await;
    let proxy = Proxy::before(database.url()).await;
    let settings = Database { url: proxy.instead_of(database.url()), max_connections: 1 };
    let mut notifications = EventNotifications::listen(&settings).await.unwrap();

    proxy.fall_silent();

    timeout(LIMIT, notifications.next()).await.expect("it ends").unwrap_err();
}

#[tokio::test]
async fn a_request_learns_within_a_second_that_the_database_is_away() {
    let World { database: _database, proxy, pool } = world(Owner::Trigger).await;
    let pool = pool.for_requests();

    drop(proxy);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let began = Instant::now();
    let answer = select(&pool).await;

    assert!(StorageError::from(answer.unwrap_err()).is_transient());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_process_that_fell_silent_is_gone_for_others_and_learns_it() {
    let World { database, proxy, pool } = world(Owner::Executor).await;
    let mut presence = Presence::begin(&pool).await.unwrap();
    presence.show().await.unwrap();
    let gone = format!("SELECT execution.is_gone({})::int", presence.holder());
    assert_eq!(database.count(&format!("SELECT ({gone})::bigint")).await, 0);

    proxy.fall_silent();

    timeout(LIMIT, presence.show()).await.expect("it ends").unwrap_err();
    eventually("others see that it is gone", async || {
        (database.count(&format!("SELECT ({gone})::bigint")).await == 1).then_some(())
    })
    .await;
}
