//! The relay when it is stopped, and commands that are handed over to it.

use std::time::Duration;

use contract::schema::SchemaLocation;
use domain::events::event::{Event, JobStarted, LaneContinue};
use domain::values::ids::{JobId, LaneId};
use messaging::topology::{self, Account, queues};
use messaging::{BrokerConfig, Publisher};
use runtime::CancellationToken;
use runtime::parts::Parts;
use runtime::relay::{Relay, Wake};
use storage::outbox::{self, Part, RelayConnection, StoredMessage};
use storage::{Owner, PgPool};
use test_support::{TestDatabase, TestVhost, eventually};
use uuid::Uuid;

const UNSENT: &str = "SELECT count(*) FROM execution.outbox WHERE sent_at IS NULL";

async fn write(pool: &PgPool) {
    let job = JobId(Uuid::now_v7());
    let event = Event::JobStarted(JobStarted { job, lanes: 1, model_days: 1, outline: None });
    let message = runtime::outgoing::event(&event).unwrap();
    outbox::write(&mut pool.acquire().await.unwrap(), &[message]).await.unwrap();
}

fn relay(pool: PgPool, broker: BrokerConfig) -> Relay {
    Relay {
        pool,
        broker,
        owner: Owner::Executor,
        schemas: SchemaLocation::below("https://modelday.example"),
        wake: Wake::default(),
        parts: Parts::default(),
        retention: runtime::retention::Retention::days(7),
    }
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
    let sent: Vec<_> = sent.collect();
    assert_eq!(sent.len(), 1);
    let headers = sent[0].properties.headers().as_ref().unwrap().inner();
    let schema = headers["cloudEvents_dataschema"].as_long_string().unwrap().to_string();
    assert_eq!(schema, "https://modelday.example/schemas/modelday.job.started.v1.json");
}

/// An executor's account declares no queue of status.
#[tokio::test]
async fn an_event_that_no_service_reads_yet_waits_in_the_outbox() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::new());
    let pool = database.pool(Owner::Executor).await;
    write(&pool).await;
    let (executor, status) = (vhost.settings_of(Account::Executor), vhost.settings_of(Account::Status));
    let stop = CancellationToken::new();
    stop.cancel();

    relay(pool.clone(), executor.clone()).run(stop.clone()).await;
    let unsent = database.count(UNSENT).await;
    Publisher::new(status, "begin").connect().await.unwrap();
    relay(pool, executor).run(stop).await;

    assert_eq!((unsent, database.count(UNSENT).await), (1, 0));
    assert_eq!(vhost.drain(queues::STATUS_PROJECTION).await.len(), 1);
}

#[tokio::test]
async fn a_relay_that_is_stopped_does_not_wait_for_a_broker_that_is_away() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool).await;
    let unreachable = BrokerConfig::new("amqp://guest@127.0.0.1:1/none", "test").unwrap();
    let stop = CancellationToken::new();
    stop.cancel();

    let stopped = tokio::time::timeout(Duration::from_secs(30), relay(pool, unreachable).run(stop)).await;

    assert!(stopped.is_ok());
    assert_eq!(database.count(UNSENT).await, 1);
}

/// A command in the outbox that is to be handed over, and that the relay leaves alone for an hour.
async fn handed(pool: &PgPool, database: &TestDatabase) -> StoredMessage {
    let command = LaneContinue { lane: LaneId(Uuid::now_v7()), turn: 1 };
    let job = JobId(Uuid::now_v7());
    let message = runtime::outgoing::lane_continue(&command, job, "lane.continue", None).unwrap();
    outbox::write(&mut pool.acquire().await.unwrap(), &[message]).await.unwrap();
    let unsent =
        RelayConnection::open(pool, Part::To(topology::COMMANDS)).await.unwrap().take(1).await.unwrap();
    database.execute("UPDATE execution.outbox SET relay_from = now() + interval '1 hour'").await;
    unsent.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_command_that_is_handed_over_is_sent_once_and_marked_without_the_relay() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::declared().await);
    let pool = database.pool(Owner::Executor).await;
    let command = handed(&pool, &database).await;
    let relay = relay(pool, vhost.settings());
    let (wake, stop) = (relay.wake.clone(), CancellationToken::new());
    let running = tokio::spawn(relay.run(stop.clone()));

    wake.hand_over(command.clone());
    eventually("the mark", async || (database.count(UNSENT).await == 0).then_some(())).await;
    stop.cancel();
    running.await.unwrap();

    let sent = vhost.drain(queues::EXECUTOR_LANES).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].properties.message_id().as_ref().unwrap().as_str(), command.event_id.to_string());
    assert_eq!(sent[0].data, command.body.into_bytes());
}

#[tokio::test]
async fn a_command_that_is_handed_over_at_the_end_is_sent_before_it() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::declared().await);
    let pool = database.pool(Owner::Executor).await;
    let command = handed(&pool, &database).await;
    let (relay, stop) = (relay(pool, vhost.settings()), CancellationToken::new());
    relay.wake.hand_over(command);
    stop.cancel();

    relay.run(stop).await;

    assert_eq!(vhost.drain(queues::EXECUTOR_LANES).await.len(), 1);
    assert_eq!(database.count(UNSENT).await, 0);
}

#[tokio::test]
async fn a_command_that_could_not_be_sent_when_it_was_handed_over_is_sent_by_the_relay() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::declared().await);
    let pool = database.pool(Owner::Executor).await;
    let command = handed(&pool, &database).await;
    let unreachable = BrokerConfig::new("amqp://guest@127.0.0.1:1/none", "test").unwrap();
    let (without, stop) = (relay(pool.clone(), unreachable), CancellationToken::new());
    without.wake.hand_over(command);
    stop.cancel();
    without.run(stop).await;
    assert_eq!(database.count(UNSENT).await, 1, "the broker was away");

    database.execute("UPDATE execution.outbox SET relay_from = now()").await;
    let stop = CancellationToken::new();
    stop.cancel();
    relay(pool, vhost.settings()).run(stop).await;

    assert_eq!(vhost.drain(queues::EXECUTOR_LANES).await.len(), 1);
    assert_eq!(database.count(UNSENT).await, 0);
}
