//! Consumers that come back by themselves.

use std::{sync::Arc, time::Duration};

use lapin::{
    Channel,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use messaging::{
    ConsumerOptions, Envelope, FirstPublished, Outcome, declare_topology,
    topology::{self, queues},
};
use test_support::TestVhost;
use tokio::sync::Semaphore;

use crate::support::{Running, event, ids, job_requested, publish, publish_until};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_to_declare_is_told_that_the_queues_were_created() {
    let vhost = TestVhost::new();
    let connection = vhost.connect().await;

    let first = declare_topology(&connection, None).await.unwrap();
    let second = declare_topology(&connection, None).await.unwrap();
    vhost.delete_queue(queues::EXECUTOR_PLANS);
    let third = declare_topology(&connection, None).await.unwrap();

    assert_eq!(first, topology::QUEUES.map(|queue| queue.name));
    assert_eq!(second, [""; 0]);
    assert_eq!(third, [queues::EXECUTOR_PLANS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_declared_again_with_its_bindings_and_the_consumer_is_notified() {
    let vhost = TestVhost::new();
    let mut consumer =
        Running::start(&vhost, queues::DOWNLOADER_JOBS, ConsumerOptions::new(1), async |_| Outcome::Done);
    let first = consumer.next_subscription().await;

    vhost.delete_queue(queues::DOWNLOADER_JOBS);
    let second = consumer.next_subscription().await;
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;

    assert_eq!((first.created, first.earlier), (true, 0));
    assert_eq!((second.created, second.earlier), (true, 1));
    assert_eq!(consumer.next().await.envelope, message);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_another_service_declared_again_is_consumed_and_counts_as_lost() {
    let vhost = TestVhost::new();
    let mut consumer =
        Running::start(&vhost, queues::DOWNLOADER_JOBS, ConsumerOptions::new(1), async |_| Outcome::Done);
    consumer.next_subscription().await;
    let (other, publisher) = (vhost.connect().await, vhost.publisher());
    publisher.connect().await.unwrap();

    for round in 0..5 {
        let message = job_requested();
        vhost.delete_queue(queues::DOWNLOADER_JOBS);
        declare_topology(&other, None).await.unwrap();
        publish(&publisher, std::slice::from_ref(&message)).await;

        assert_eq!(consumer.next().await.envelope, message, "round {round}");
        assert!(consumer.next_subscription().await.created, "round {round}");
    }
    consumer.stop().await;
}

/// Deleting a queue and declaring it again at once mostly leaves a consumer registered that receives nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_registered_consumer_that_receives_nothing_is_replaced() {
    let vhost = TestVhost::new();
    let options = ConsumerOptions { idle_after: Duration::from_millis(200), ..ConsumerOptions::new(1) };
    let mut consumer = Running::start(&vhost, queues::DOWNLOADER_JOBS, options, async |_| Outcome::Done);
    consumer.next_subscription().await;
    let channel = vhost.connect().await.create_channel().await.unwrap();
    let straight_to_the_queue = || {
        let message = job_requested();
        let signature = message.signature(&vhost.settings().authentication().keyring);
        Envelope {
            exchange: String::new(),
            routing_key: queues::DOWNLOADER_JOBS.into(),
            first_published: Some(FirstPublished { routing_key: message.routing_key.clone(), signature }),
            ..message
        }
    };

    for _ in 0..3 {
        vhost.delete_queue(queues::DOWNLOADER_JOBS);
        declare_at_once(&channel).await;
        let batch = [straight_to_the_queue(), straight_to_the_queue()];
        publish(&vhost.publisher(), &batch).await;

        let mut left: Vec<_> = batch.iter().map(|message| message.id).collect();
        while !left.is_empty() {
            let given = consumer.next().await;
            left.retain(|id| *id != given.envelope.id);
        }
        assert!(consumer.next_subscription().await.created);
    }
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_never_idle_is_called_to_look_for_lost_messages_too() {
    let vhost = TestVhost::new();
    let options = ConsumerOptions { idle_after: Duration::from_millis(200), ..ConsumerOptions::new(2) };
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let mut consumer = Running::start(&vhost, queues::DOWNLOADER_JOBS, options, move |_| {
        let waits = is_first.swap(false, std::sync::atomic::Ordering::Relaxed);
        async move {
            if waits {
                std::future::pending::<()>().await;
            }
            Outcome::Done
        }
    });
    consumer.next_subscription().await;
    let publisher = vhost.publisher();

    publish_until(&publisher, consumer.idle.recv()).await.expect("the consumer runs");

    consumer.task.abort();
}

async fn declare_at_once(channel: &Channel) {
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-dead-letter-exchange".into(), text(topology::DEAD));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(1000));
    let durable = QueueDeclareOptions::durable();
    channel.queue_declare(queues::DOWNLOADER_JOBS.into(), durable, arguments).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_is_replaced() {
    let vhost = TestVhost::new();
    let mut consumer =
        Running::start(&vhost, queues::DOWNLOADER_JOBS, ConsumerOptions::new(1), async |_| Outcome::Done);
    consumer.next_subscription().await;

    vhost.kill_connections("test consume").await;
    let again = consumer.next_subscription().await;
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;

    assert_eq!((again.created, again.earlier), (false, 1));
    assert_eq!(consumer.next().await.envelope, message);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_outlives_its_connection_and_the_bound_on_handlers_holds() {
    let vhost = TestVhost::new();
    let gate = Arc::new(Semaphore::new(0));
    let options = ConsumerOptions::new(1);
    let mut consumer = Running::sharing(&vhost, queues::DOWNLOADER_JOBS, options, &gate, async |gate, _| {
        gate.acquire().await.unwrap().forget();
        Outcome::Done
    });
    consumer.next_subscription().await;
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;
    let first = consumer.next().await;

    vhost.kill_connections("test consume").await;
    consumer.next_subscription().await;
    let meanwhile = tokio::time::timeout(Duration::from_millis(500), consumer.given.recv()).await;
    gate.add_permits(2);
    let second = consumer.next().await;

    assert!(meanwhile.is_err(), "two handlers worked where one was allowed");
    assert_eq!((first.envelope, first.delivery_count), (message.clone(), 0));
    assert_eq!((second.envelope, second.redelivered, second.delivery_count), (message, true, 1));
    consumer.stop().await;
    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_other_arguments_is_waited_for() {
    let vhost = TestVhost::new();
    let connection = vhost.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions::durable();
    let name = || queues::TRIGGER_JOBS.into();
    channel.queue_declare(name(), durable, Default::default()).await.unwrap();
    let mut consumer =
        Running::start(&vhost, queues::TRIGGER_JOBS, ConsumerOptions::new(1), async |_| Outcome::Done);

    vhost.delete_queue(queues::TRIGGER_JOBS);
    consumer.next_subscription().await;

    let message = event("modelday.job.completed.v1");
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;
    assert_eq!(consumer.next().await.envelope, message);
    consumer.stop().await;
}
