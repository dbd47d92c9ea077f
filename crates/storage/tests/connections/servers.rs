//! A database with several addresses, against a real Postgres. `tests/it/tests/deploy/standby.rs` has a real standby.

use std::time::Duration;

use storage::status::EventNotifications;
use storage::{Database, Owner, PgPool};
use test_support::{Proxy, TestDatabase};
use tokio::time::{Instant, timeout};

/// An address at which nothing listens.
const NOWHERE: &str = "postgres://none:n0thing@127.0.0.1:1/nothing";

async fn select(pool: &PgPool) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT 1").fetch_one(pool).await
}

#[tokio::test]
async fn the_second_address_is_used_when_nothing_answers_at_the_first() {
    let database = TestDatabase::unmigrated().await;
    let owner = format!("{NOWHERE},{}", database.url());
    storage::migrate(&owner).await.unwrap();
    let url = format!("{NOWHERE},{}", database.url_of(Owner::Status));
    let settings = Database::new(url, 2).unwrap();

    storage::check(&settings, Owner::Status).await.unwrap();
    let pool = storage::pool(&settings, Owner::Status).unwrap();
    let began = Instant::now();

    assert_eq!(select(&pool.for_requests()).await.unwrap(), 1);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    EventNotifications::listen(&settings).await.unwrap();
}

#[tokio::test]
async fn when_a_server_goes_away_its_connections_are_replaced_by_those_to_another_one() {
    let database = TestDatabase::new().await;
    let url = database.url_of(Owner::Trigger);
    let (first, second) = (Proxy::before(&url).await, Proxy::before(&url).await);
    let url = format!("{},{}", first.instead_of(&url), second.instead_of(&url));
    let pool = storage::pool(&Database::new(url, 2).unwrap(), Owner::Trigger).unwrap();
    let port = "SELECT inet_client_port()";
    let before: i32 = sqlx::query_scalar(port).fetch_one(&pool).await.unwrap();

    drop(first);
    let began = Instant::now();
    // What is in hand when a server goes away may fail once.
    let after = loop {
        match timeout(Duration::from_secs(5), sqlx::query_scalar::<_, i32>(port).fetch_one(&pool))
            .await
            .unwrap()
        {
            Ok(port) => break port,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(5), "{error}"),
        }
    };

    assert_ne!(after, before);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(pool.connections().max, 2);
}
