//! What the broker lets each account do, as `deploy/rabbitmq/accounts.json` defines it.

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions, QueuePurgeOptions,
    },
    types::FieldTable,
};
use messaging::{
    declare_topology,
    topology::{Account, DEFAULT, EVENTS, PUBLICATIONS, QUEUES, queues},
};
use test_support::{TestVhost, eventually};

async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default()).await.unwrap()
}

/// Whether the broker allowed something; anything but a refusal for lack of permission ends the test.
fn is_allowed<T>(result: lapin::Result<T>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => match error.kind() {
            ErrorKind::ProtocolError(refusal) if refusal.get_id() == 403 => false,
            _ => panic!("{error}"),
        },
    }
}

/// Whether the broker takes a message from this connection; a channel ends with the first refusal.
async fn may_publish(connection: &Connection, exchange: &str, routing_key: &str) -> bool {
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let published =
        channel.basic_publish(exchange.into(), routing_key.into(), options, b"{}", properties).await;
    match published {
        Ok(confirm) => is_allowed(confirm.await),
        Err(error) => is_allowed::<()>(Err(error)),
    }
}

async fn channel(connection: &Connection) -> Channel {
    connection.create_channel().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_may_declare_its_part_of_the_topology_whoever_comes_first() {
    let vhost = TestVhost::new();
    let mut declared = Vec::new();

    for account in [Account::Status, Account::Executor, Account::Downloader, Account::Trigger] {
        let connection = connect(&vhost.url_of(account)).await;
        declared.extend(declare_topology(&connection, Some(account)).await.unwrap());
    }

    let mut all = QUEUES.map(|queue| queue.name);
    all.sort_unstable();
    declared.sort_unstable();
    assert_eq!(declared, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_publishes_only_the_messages_of_its_service() {
    let vhost = TestVhost::declared().await;

    for account in Account::ALL {
        let connection = connect(&vhost.url_of(account)).await;
        for one in &PUBLICATIONS {
            for key in one.routing_keys {
                // On an exchange that is no topic exchange the routing key is not checked, and means nothing.
                let own = one.account == account;
                let allowed = may_publish(&connection, one.exchange, key).await;
                assert_eq!(allowed, own, "{account:?} to {}:{key}", one.exchange);
            }
        }
        assert!(!may_publish(&connection, EVENTS, "modelday.invented.v1").await, "{account:?}");
        for queue in &QUEUES {
            let replays = account == Account::Status;
            assert_eq!(may_publish(&connection, DEFAULT, queue.name).await, replays, "{account:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_reads_and_changes_only_the_queues_of_its_service() {
    let vhost = TestVhost::declared().await;

    for account in Account::ALL {
        let connection = connect(&vhost.url_of(account)).await;
        for queue in &QUEUES {
            let own = queue.reader == account;
            let name = || queue.name.into();
            let read = channel(&connection).await.basic_get(name(), BasicGetOptions::default()).await;
            let emptied = channel(&connection).await.queue_purge(name(), QueuePurgeOptions::default()).await;
            assert_eq!(
                (is_allowed(read), is_allowed(emptied)),
                (own, own),
                "{account:?} reads {}",
                queue.name
            );
            if !own {
                let options = QueueDeleteOptions::default();
                let deleted = channel(&connection).await.queue_delete(name(), options).await;
                assert!(!is_allowed(deleted), "{account:?} deletes {}", queue.name);
            }
        }
    }
    let executor = connect(&vhost.url_of(Account::Executor)).await;
    let (queue, options) = (queues::EXECUTOR_PLANS.into(), QueueBindOptions::default());
    let key = "modelday.job.requested.v1".into();
    let channel = channel(&executor).await;
    let bound = channel.queue_bind(queue, EVENTS.into(), key, options, FieldTable::default()).await;
    assert!(!is_allowed(bound), "executor binds its queue for what it does not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_for_others_reads_every_event_and_publishes_nothing() {
    let vhost = TestVhost::declared().await;
    let connection = connect(&vhost.reader_url()).await;
    let own = || "ext.test.copy".into();
    let arguments = FieldTable::default;
    let here = channel(&connection).await;

    here.queue_declare(own(), QueueDeclareOptions::durable(), arguments()).await.unwrap();
    let options = QueueBindOptions::default();
    here.queue_bind(own(), EVENTS.into(), "modelday.#".into(), options, arguments()).await.unwrap();
    vhost.publish_event("modelday.job.requested.v1", b"{}").await;

    eventually("the event arrives", async || {
        here.basic_get(own(), BasicGetOptions { no_ack: true }).await.unwrap()
    })
    .await;
    for one in &PUBLICATIONS {
        for key in one.routing_keys {
            assert!(!may_publish(&connection, one.exchange, key).await, "to {}:{key}", one.exchange);
        }
    }
    for exchange in [DEFAULT, "modelday.dead", "amq.topic"] {
        assert!(!may_publish(&connection, exchange, "ext.test.copy").await, "to {exchange:?}");
    }
    for queue in &QUEUES {
        let read = channel(&connection).await.basic_get(queue.name.into(), BasicGetOptions::default()).await;
        assert!(!is_allowed(read), "it reads {}", queue.name);
    }
    // What a queue gives up would be published in its owner's name.
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), lapin::types::AMQPValue::LongString(EVENTS.into()));
    let name = "ext.test.forwards".into();
    let declared =
        channel(&connection).await.queue_declare(name, QueueDeclareOptions::durable(), arguments).await;
    assert!(!is_allowed(declared), "a queue of its own forwards to the events");
}
