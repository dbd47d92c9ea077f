//! What the publisher promises about a batch.

use std::time::{Duration, Instant};

use lapin::{
    options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use messaging::{
    BrokerConfig, ConsumerOptions, Envelope, Outcome, PublishError, Publisher,
    topology::{self, commands, queues},
};
use test_support::TestVhost;

use crate::support::{Running, command, event, ids, job_requested, publish};

#[tokio::test(flavor = "multi_thread")]
async fn everything_said_about_a_message_arrives_with_it() {
    let vhost = TestVhost::new();
    let mut consumer =
        Running::start(&vhost, queues::DOWNLOADER_JOBS, ConsumerOptions::new(1), async |_| Outcome::Done);
    let full = job_requested();
    let bare =
        Envelope { subject: None, correlation: None, traceparent: None, tracestate: None, ..job_requested() };

    publish(&vhost.publisher(), &[full.clone(), bare.clone()]).await;
    let (first, second) = (consumer.next().await, consumer.next().await);

    assert_eq!(first.envelope, full);
    assert_eq!(second.envelope, bare);
    assert_eq!(first.traceparent(), full.traceparent.as_deref());
    assert_eq!((&*first.queue, first.redelivered, first.delivery_count), (queues::DOWNLOADER_JOBS, false, 0));
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_on_the_wire_is_a_cloud_event_that_any_client_can_read() {
    let vhost = TestVhost::new();
    let sent = job_requested();

    publish(&vhost.publisher(), std::slice::from_ref(&sent)).await;

    let delivery = &vhost.drain(queues::DOWNLOADER_JOBS).await[0];
    let properties = &delivery.properties;
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().unwrap().to_string();
    assert_eq!(text(properties.message_id()), sent.id.to_string());
    assert_eq!(text(properties.correlation_id()), sent.correlation.unwrap().to_string());
    assert_eq!(text(properties.kind()), "modelday.job.requested.v1");
    assert_eq!(text(properties.app_id()), "test");
    assert_eq!(text(properties.content_type()), "application/json");
    assert_eq!(*properties.timestamp(), Some(1_759_325_400));
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert_eq!(delivery.data, sent.body);
    let headers = properties.headers().as_ref().unwrap().inner();
    let value = |name: &str| match &headers[name] {
        AMQPValue::LongString(text) => text.to_string(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!(value("cloudEvents_specversion"), "1.0");
    assert_eq!(value("cloudEvents_id"), sent.id.to_string());
    assert_eq!(value("cloudEvents_source"), "/modelday/test");
    assert_eq!(value("cloudEvents_type"), "modelday.job.requested.v1");
    assert_eq!(value("cloudEvents_subject"), "portfolio/default");
    assert_eq!(value("cloudEvents_time"), "2025-10-01T13:30:00.123456Z");
    assert_eq!(value("cloudEvents_sequence"), "42");
    assert_eq!(value("cloudEvents_dataschema"), sent.dataschema);
    assert_eq!(value("traceparent"), sent.traceparent.unwrap());
    assert_eq!(value("tracestate"), "vendor=opaque");
    let ours = headers.keys().filter(|name| !name.as_str().starts_with("x-"));
    assert_eq!(ours.count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_and_command_finds_its_queues() {
    let vhost = TestVhost::new();
    let events = [
        "job.requested",
        "job.completed",
        "job.partial",
        "job.failed",
        "job.cancelled",
        "data.ready",
        "data.failed",
        "model_day.completed",
    ]
    .map(|name| event(&format!("modelday.{name}.v1")));
    let commands =
        [commands::LANE_CONTINUE, commands::LANE_CONTINUE_AGENTS, commands::JOB_CANCEL].map(command);

    publish(&vhost.publisher(), &events).await;
    publish(&vhost.publisher(), &commands).await;

    let id = |envelope: &Envelope| envelope.id.to_string();
    let arrived = async |queue: &str| ids(&vhost.drain(queue).await);
    assert_eq!(arrived(queues::TRIGGER_JOBS).await, events[1..5].iter().map(id).collect::<Vec<_>>());
    assert_eq!(arrived(queues::DOWNLOADER_JOBS).await, [id(&events[0])]);
    assert_eq!(arrived(queues::EXECUTOR_PLANS).await, events[5..7].iter().map(id).collect::<Vec<_>>());
    assert_eq!(arrived(queues::EXECUTOR_LANES).await, [id(&commands[0])]);
    assert_eq!(arrived(queues::EXECUTOR_AGENTS).await, [id(&commands[1])]);
    assert_eq!(arrived(queues::EXECUTOR_CONTROL).await, [id(&commands[2])]);
    assert_eq!(arrived(queues::STATUS_PROJECTION).await, events.iter().map(id).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reported_as_confirmed_is_exactly_what_arrived() {
    let vhost = TestVhost::new();
    let publisher = vhost.publisher();
    let mut batch: Vec<_> = (0..400).map(|_| job_requested()).collect();
    batch[150] = event("unbound.event.v1");

    let published = publisher.publish_in_order(&batch).await;

    let id = batch[150].id.to_string();
    let Some(PublishError::Returned { message, destination, reason }) = published.failure else {
        panic!("{:?}", published.failure)
    };
    assert_eq!((message, &*destination, &*reason), (id, "modelday.events:unbound.event.v1", "NO_ROUTE"));
    assert_eq!(published.confirmed[..150], [true; 150]);
    assert!(!published.confirmed[150]);
    let confirmed = batch.iter().zip(&published.confirmed).filter(|(_, confirmed)| **confirmed);
    let confirmed: Vec<_> = confirmed.map(|(envelope, _)| envelope.id.to_string()).collect();
    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), confirmed);
}

/// A channel whose queue was without a leader may refuse every later message too.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_the_next_batch_has_a_new_channel() {
    let vhost = TestVhost::new();
    let publisher = vhost.publisher();
    publisher.connect().await.unwrap();
    let channel = vhost.connect().await.create_channel().await.unwrap();
    let mut full = FieldTable::default();
    full.insert("x-max-length".into(), AMQPValue::LongLongInt(0));
    full.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let exclusive = QueueDeclareOptions::exclusive();
    let queue = channel.queue_declare("ext.full".into(), exclusive, full).await.unwrap();
    let bind = QueueBindOptions::default();
    let key = "modelday.job.requested.v1";
    channel
        .queue_bind(queue.name().clone(), topology::EVENTS.into(), key.into(), bind, FieldTable::default())
        .await
        .unwrap();

    let refused = publisher.publish_in_order(&[job_requested()]).await;
    let is_kept = publisher.is_connected();
    channel.queue_delete("ext.full".into(), QueueDeleteOptions::default()).await.unwrap();
    let next = publisher.publish_in_order(&[job_requested()]).await;

    assert!(matches!(refused.failure, Some(PublishError::Nacked { .. })), "{:?}", refused.failure);
    assert!(!is_kept);
    assert_eq!(next.confirmed, [true], "{:?}", next.failure);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_return_the_topology_is_there_again() {
    let vhost = TestVhost::new();
    let publisher = vhost.publisher();
    publisher.connect().await.unwrap();
    vhost.delete_queue(queues::EXECUTOR_LANES);
    let message = [command(commands::LANE_CONTINUE)];

    let first = publisher.publish_in_order(&message).await;
    let second = publisher.publish_in_order(&message).await;

    assert!(matches!(first.failure, Some(PublishError::Returned { .. })), "{:?}", first.failure);
    assert_eq!(second.confirmed, [true], "{:?}", second.failure);
    assert_eq!(ids(&vhost.drain(queues::EXECUTOR_LANES).await), [message[0].id.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_after_the_connection_was_killed() {
    let vhost = TestVhost::new();
    let publisher = vhost.publisher();
    publish(&publisher, &[job_requested()]).await;

    vhost.kill_connections("test publish").await;

    let message = [job_requested()];
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Some(error) = publisher.publish_in_order(&message).await.failure {
        assert!(matches!(error, PublishError::Transient(_)), "{error:?}");
        assert!(Instant::now() < deadline, "{error:?}");
    }
    assert!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await).contains(&message[0].id.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_exchange_is_a_passing_trouble() {
    let vhost = TestVhost::new();
    let publisher = vhost.publisher();
    publisher.connect().await.unwrap();
    let channel = vhost.connect().await.create_channel().await.unwrap();
    channel.exchange_delete(topology::EVENTS.into(), Default::default()).await.unwrap();

    let first = publisher.publish_in_order(&[job_requested()]).await;
    let second = publisher.publish_in_order(&[job_requested()]).await;

    assert!(matches!(first.failure, Some(PublishError::Transient(_))), "{:?}", first.failure);
    assert_eq!(second.confirmed, [true], "{:?}", second.failure);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_amqp_has_no_room_for_is_named_and_the_ones_before_it_are_sent() {
    let vhost = TestVhost::new();
    let endless = Envelope { kind: "x".repeat(300), ..job_requested() };
    let batch = [job_requested(), endless, job_requested()];

    let published = vhost.publisher().publish_in_order(&batch).await;

    assert_eq!(published.confirmed, [true, false, false]);
    assert!(
        matches!(&published.failure, Some(PublishError::Unencodable { message, .. }) if *message == batch[1].id.to_string()),
        "{:?}",
        published.failure
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_nobody_hears_is_no_failure() {
    let vhost = TestVhost::new();
    let hint = Envelope { exchange: topology::CONTROL.into(), ..command(commands::JOB_CANCEL) };

    publish(&vhost.publisher(), &[hint]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_costs_no_more_than_the_timeout() {
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://joe:s3cret@{}/%2f", mute.local_addr().unwrap());
    let config = BrokerConfig::new(&url, "test").unwrap().with_timeout(Duration::from_millis(200));
    let started = Instant::now();

    let published = Publisher::new(config, "publish").publish_in_order(&[job_requested()]).await;

    assert_eq!(published.confirmed, [false]);
    let error = published.failure.unwrap();
    assert_eq!(error.to_string(), "broker unavailable: no answer from the broker within 0.2 s (connecting)");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn throughput_of_publishing() {
    let vhost = TestVhost::new();
    let publisher = vhost.publisher();
    publisher.connect().await.unwrap();
    let batch: Vec<_> = (0..500).map(|_| job_requested()).collect();
    let started = Instant::now();

    for _ in 0..20 {
        publish(&publisher, &batch).await;
    }
    let batches = started.elapsed();
    let mut hops: Vec<_> = Vec::new();
    for _ in 0..200 {
        let started = Instant::now();
        publish(&publisher, &[job_requested()]).await;
        hops.push(started.elapsed());
    }
    hops.sort();

    eprintln!("{:.0} messages/s in batches of 500", 10_000.0 / batches.as_secs_f64());
    eprintln!("one message, confirmed: p50 {:?}, p99 {:?}", hops[100], hops[197]);
}
