//! One projector at work: whose connection has the lock.

use storage::status::ProjectorLock;
use storage::{Owner, PgPool};
use test_support::{TestDatabase, eventually};

use crate::sample::{accept, job_id, life, projected, sent_events};

async fn opened(pool: &PgPool) -> ProjectorLock {
    ProjectorLock::open(pool).await.unwrap()
}

#[tokio::test]
async fn a_projector_whose_connection_ended_writes_nothing_more_and_the_next_one_goes_on() {
    let database = TestDatabase::new().await;
    accept(&database, job_id(1), "{}").await;
    let pool = database.pool(Owner::Status).await;
    let sent = sent_events(life(job_id(1)));
    let (first, rest) = sent.split_at(3);
    let (at_work, stands_by) = (opened(&pool).await, opened(&pool).await);
    assert!(at_work.try_take().await.unwrap());
    assert!(!stands_by.try_take().await.unwrap());
    projected(&at_work, first).await.unwrap();
    at_work.show().await.unwrap();

    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.count(ended).await, 1);
    eventually("the lock is free", async || stands_by.try_take().await.unwrap().then_some(())).await;

    assert!(projected(&at_work, rest).await.is_err(), "it has lost the lock");
    assert!(projected(&at_work, rest).await.is_err(), "and does not get a connection without it");
    assert!(at_work.show().await.is_err());
    assert_eq!(database.count("SELECT count(*) FROM status.events").await, 3);
    let projected = projected(&stands_by, &sent).await.unwrap();
    assert_eq!(projected.logged.len(), rest.len());
}

#[tokio::test]
async fn an_event_that_postgres_refuses_does_not_cost_the_lock() {
    let database = TestDatabase::new().await;
    accept(&database, job_id(1), "{}").await;
    let pool = database.pool(Owner::Status).await;
    let (at_work, stands_by) = (opened(&pool).await, opened(&pool).await);
    assert!(at_work.try_take().await.unwrap());
    let mut sent = sent_events(life(job_id(1)));
    "a NUL is \0 refused".clone_into(&mut sent[1].body);

    assert!(projected(&at_work, &sent).await.is_err());

    at_work.show().await.unwrap();
    assert!(!stands_by.try_take().await.unwrap());
    assert_eq!(projected(&at_work, &sent[..1]).await.unwrap().logged.len(), 1);
}
