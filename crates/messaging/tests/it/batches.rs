//! Consuming many messages a time.

use std::time::{Duration, Instant};

use messaging::{
    BatchHandler, BatchOptions, Cause, ConsumeError, Incoming, Rejected, Subscribed, consume_batches,
    topology::queues,
};
use test_support::TestVhost;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{ids, job_requested, publish, publish_until, reporting_hooks, soon};

type Answer = Result<Vec<Rejected>, Cause>;

struct Batches<F> {
    given: mpsc::UnboundedSender<Vec<Incoming>>,
    answer: F,
}

impl<F: Fn(&[Incoming]) -> Answer + Send + Sync + 'static> BatchHandler for Batches<F> {
    async fn handle(&self, batch: &[Incoming]) -> Answer {
        self.given.send(batch.to_vec()).expect("the test listens");
        (self.answer)(batch)
    }
}

struct Running {
    given: mpsc::UnboundedReceiver<Vec<Incoming>>,
    subscribed: mpsc::UnboundedReceiver<Subscribed>,
    idle: mpsc::UnboundedReceiver<()>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ConsumeError>>,
}

impl Running {
    fn start<F>(vhost: &TestVhost, options: BatchOptions, answer: F) -> Self
    where
        F: Fn(&[Incoming]) -> Answer + Send + Sync + 'static,
    {
        let (given, receive_given) = mpsc::unbounded_channel();
        let (hooks, subscribed, idle) = reporting_hooks();
        let options = BatchOptions { hooks, ..options };
        let (config, stop) = (vhost.settings(), CancellationToken::new());
        let token = stop.clone();
        let handler = Batches { given, answer };
        let task = tokio::spawn(async move {
            consume_batches(&config, queues::STATUS_PROJECTION, options, handler, token).await
        });
        Self { given: receive_given, subscribed, idle, stop, task }
    }

    async fn next(&mut self) -> Vec<Uuid> {
        let batch = soon(self.given.recv()).await.expect("the consumer runs");
        batch.into_iter().map(|message| message.envelope.id).collect()
    }

    /// The ids of the next `count` messages, in whatever batches they come.
    async fn messages(&mut self, count: usize) -> Vec<Uuid> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.extend(self.next().await);
        }
        ids
    }

    async fn stop(self) {
        self.stop.cancel();
        soon(self.task).await.expect("the consumer does not panic").expect("it ends well");
    }
}

/// Batches that are sure to hold all the messages of a test.
fn patient() -> BatchOptions {
    BatchOptions { linger: Duration::from_millis(300), ..BatchOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_handled_in_order_in_full_batches_and_acknowledged() {
    let vhost = TestVhost::declared().await;
    let batch: Vec<_> = (0..250).map(|_| job_requested()).collect();
    publish(&vhost.publisher(), &batch).await;

    let options = BatchOptions { max_batch: 100, ..patient() };
    let mut consumer = Running::start(&vhost, options, |_| Ok(Vec::new()));
    let sizes = [consumer.next().await, consumer.next().await, consumer.next().await];
    consumer.stop().await;

    assert_eq!(sizes.each_ref().map(Vec::len), [100, 100, 50]);
    assert_eq!(sizes.concat(), batch.iter().map(|message| message.id).collect::<Vec<_>>());
    assert_eq!(ids(&vhost.drain(queues::STATUS_PROJECTION).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_message_does_not_wait_for_company() {
    let vhost = TestVhost::declared().await;
    let mut consumer = Running::start(&vhost, BatchOptions::default(), |_| Ok(Vec::new()));
    soon(consumer.subscribed.recv()).await.unwrap();
    let publisher = vhost.publisher();
    publish(&publisher, &[job_requested()]).await;
    consumer.next().await;
    let started = Instant::now();

    for _ in 0..20 {
        publish(&publisher, &[job_requested()]).await;
        assert_eq!(consumer.next().await.len(), 1);
    }

    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_messages_are_put_away_and_the_others_are_done() {
    let vhost = TestVhost::declared().await;
    let batch: Vec<_> = (0..5).map(|_| job_requested()).collect();
    publish(&vhost.publisher(), &batch).await;
    let rejected = |index| Rejected { index, reason: format!("number {index}") };

    let mut consumer = Running::start(&vhost, patient(), move |_| Ok(vec![rejected(1), rejected(3)]));
    consumer.messages(5).await;
    consumer.stop().await;

    let dead = vhost.drain(queues::STATUS_DEAD_LETTERS).await;
    assert_eq!(ids(&dead), [batch[1].id.to_string(), batch[3].id.to_string()]);
    assert_eq!(ids(&vhost.drain(queues::STATUS_PROJECTION).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_failed_is_tried_again_as_it_was() {
    let vhost = TestVhost::declared().await;
    let batch: Vec<_> = (0..5).map(|_| job_requested()).collect();
    publish(&vhost.publisher(), &batch).await;
    let failures = std::sync::atomic::AtomicU32::new(2);

    let mut consumer = Running::start(&vhost, patient(), move |_| {
        let left = |left: u32| left.checked_sub(1);
        let order = std::sync::atomic::Ordering::SeqCst;
        match failures.fetch_update(order, order, left) {
            Ok(_) => Err("the database is away".into()),
            Err(_) => Ok(Vec::new()),
        }
    });
    let (first, second, third) = (consumer.next().await, consumer.next().await, consumer.next().await);
    consumer.stop().await;

    assert_eq!(first, batch.iter().map(|message| message.id).collect::<Vec<_>>());
    assert_eq!((&second, &third), (&first, &first));
    assert_eq!(ids(&vhost.drain(queues::STATUS_PROJECTION).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_makes_the_handler_panic_does_not_take_its_neighbours_along() {
    let vhost = TestVhost::declared().await;
    let batch: Vec<_> = (0..4).map(|_| job_requested()).collect();
    publish(&vhost.publisher(), &batch).await;
    let unlucky = batch[2].id;

    let mut consumer = Running::start(&vhost, patient(), move |batch| {
        assert!(batch.iter().all(|message| message.envelope.id != unlucky), "unlucky");
        Ok(Vec::new())
    });
    // The batch, its first two messages, the bad one five times, the last one.
    for _ in 0..9 {
        consumer.next().await;
    }
    consumer.stop().await;

    assert_eq!(ids(&vhost.drain(queues::STATUS_DEAD_LETTERS).await), [unlucky.to_string()]);
    assert_eq!(ids(&vhost.drain(queues::STATUS_PROJECTION).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_cut_off_by_shutdown_stays_in_the_queue() {
    let vhost = TestVhost::declared().await;
    let batch: Vec<_> = (0..3).map(|_| job_requested()).collect();
    publish(&vhost.publisher(), &batch).await;

    let mut consumer = Running::start(&vhost, patient(), |_| Err("the database is away".into()));
    consumer.next().await;
    consumer.stop().await;

    let expected: Vec<_> = batch.iter().map(|message| message.id.to_string()).collect();
    assert_eq!(ids(&vhost.drain(queues::STATUS_PROJECTION).await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_resume_after_the_queue_was_deleted_and_after_the_connection_was_killed() {
    let vhost = TestVhost::new();
    let mut consumer = Running::start(&vhost, BatchOptions::default(), |_| Ok(Vec::new()));
    soon(consumer.subscribed.recv()).await.unwrap();

    vhost.delete_queue(queues::STATUS_PROJECTION);
    assert!(soon(consumer.subscribed.recv()).await.unwrap().created);
    vhost.kill_connections("test consume").await;
    assert_eq!(soon(consumer.subscribed.recv()).await.unwrap().earlier, 2);
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;

    assert_eq!(consumer.next().await, [message.id]);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_of_batches_that_is_never_idle_is_called_to_look_for_lost_messages_too() {
    let vhost = TestVhost::new();
    let options = BatchOptions { idle_after: Duration::from_millis(500), ..BatchOptions::default() };
    let mut consumer = Running::start(&vhost, options, |_| Ok(Vec::new()));
    soon(consumer.subscribed.recv()).await.unwrap();
    let publisher = vhost.publisher();

    publish_until(&publisher, consumer.idle.recv()).await.expect("the consumer runs");

    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn throughput_of_batches() {
    let vhost = TestVhost::declared().await;
    let publisher = vhost.publisher();
    let batch: Vec<_> = (0..1000).map(|_| job_requested()).collect();
    for _ in 0..20 {
        publish(&publisher, &batch).await;
    }

    let mut consumer = Running::start(&vhost, BatchOptions::default(), |_| Ok(Vec::new()));
    soon(consumer.subscribed.recv()).await.unwrap();
    let started = Instant::now();
    consumer.messages(20_000).await;

    eprintln!("{:.0} messages/s consumed in batches", 20_000.0 / started.elapsed().as_secs_f64());
    consumer.stop().await;
}
