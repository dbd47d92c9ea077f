//! The relay at its end.

use std::time::Duration;

use domain::event::{Event, JobStarted};
use domain::ids::JobId;
use messaging::BrokerConfig;
use messaging::topology::queues;
use runtime::CancellationToken;
use runtime::relay::{Relay, Wake};
use storage::{Owner, PgPool, outbox};
use test_support::{TestDatabase, TestVhost};
use uuid::Uuid;

const UNSENT: &str = "SELECT count(*) FROM execution.outbox WHERE sent_at IS NULL";

async fn write(pool: &PgPool) {
    let job = JobId(Uuid::now_v7());
    let event = Event::JobStarted(JobStarted { job, lanes: 1, model_days: 1 });
    let message = runtime::outgoing::event(&event).unwrap();
    outbox::write(&mut pool.acquire().await.unwrap(), &[message]).await.unwrap();
}

fn relay(pool: PgPool, broker: BrokerConfig) -> Relay {
    Relay { pool, broker, service: "executor", wake: Wake::default() }
}

#[tokio::test]
async fn a_relay_that_is_stopped_sends_what_was_committed_before() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::new());
    let pool = database.pool(Owner::Executor).await;
    // The first to come declares the topology, which takes its time.
    vhost.publish_event("modelday.test.v1", b"{}").await;
    write(&pool).await;
    let stop = CancellationToken::new();
    stop.cancel();

    relay(pool, vhost.settings()).run(stop).await;

    assert_eq!(database.count(UNSENT).await, 0);
    let events = vhost.drain(queues::STATUS_PROJECTION).await;
    let sent = events.iter().filter(|event| event.routing_key.as_str() == "modelday.job.started.v1");
    assert_eq!(sent.count(), 1);
}

#[tokio::test]
async fn a_relay_that_is_stopped_does_not_wait_for_a_broker_that_is_away() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool).await;
    let nobody = BrokerConfig::new("amqp://guest@127.0.0.1:1/none", "test").unwrap();
    let stop = CancellationToken::new();
    stop.cancel();

    let stopped = tokio::time::timeout(Duration::from_secs(30), relay(pool, nobody).run(stop)).await;

    assert!(stopped.is_ok());
    assert_eq!(database.count(UNSENT).await, 1);
}
