//! What becomes of a message that a handler gets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use lapin::{BasicProperties, options::BasicPublishOptions};
use messaging::{
    BrokerConfig, ConsumeError, ConsumerOptions, DeadLetter, Envelope, Handler, Outcome, Then, consume,
    listen_control,
    topology::{self, commands, queues},
};
use test_support::{TestVhost, eventually};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::support::{Running, command, ids, job_requested, now, publish, reporting_hooks, soon};

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_goes_to_the_dead_letters_with_its_reason_and_the_next_is_handled() {
    let vhost = TestVhost::declared().await;
    let (rejected, good) = (job_requested(), job_requested());
    let bad = Arc::new(rejected.id);
    let options = ConsumerOptions::new(1);
    let mut consumer =
        Running::sharing(&vhost, queues::DOWNLOADER_JOBS, options, &bad, async |bad, message| {
            if message.envelope.id == *bad { Outcome::Reject("no such model".into()) } else { Outcome::Done }
        });
    let mut dead_letters = DeadLetters::open(&vhost);
    let before = now();

    publish(&vhost.publisher(), &[rejected.clone(), good.clone()]).await;
    consumer.next().await;
    let letter = dead_letters.next().await;

    assert_eq!(letter.reason, "no such model");
    assert_eq!(letter.queue.as_deref(), Some(queues::DOWNLOADER_JOBS));
    assert_eq!(letter.exchange.as_deref(), Some(topology::EVENTS));
    assert_eq!(letter.routing_key, "modelday.job.requested.v1");
    assert_eq!(letter.body, rejected.body);
    assert!(letter.time.unwrap() >= before && letter.time.unwrap() <= now(), "{:?}", letter.time);
    assert_eq!(letter.envelope, Some(rejected), "a replay publishes what was published first");
    assert_eq!(consumer.next().await.envelope, good);
    consumer.stop().await;
    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [""; 0], "both are acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_garbled_headers_never_reaches_the_handler() {
    let vhost = TestVhost::declared().await;
    let mut consumer =
        Running::start(&vhost, queues::DOWNLOADER_JOBS, ConsumerOptions::new(1), async |_| Outcome::Done);
    consumer.next_subscription().await;
    let mut dead_letters = DeadLetters::open(&vhost);
    let connection = vhost.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let (exchange, key) = (topology::EVENTS.into(), "modelday.job.requested.v1".into());
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish(exchange, key, options, b"not ours", properties).await.unwrap();

    let letter = dead_letters.next().await;

    assert_eq!(letter.reason, "header cloudEvents_specversion is missing");
    assert_eq!((letter.envelope, letter.message_id), (None, None));
    assert_eq!(&letter.body[..], b"not ours");
    let good = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&good)).await;
    assert_eq!(consumer.next().await.envelope, good);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_after_a_message_is_made_once_and_after_it() {
    let vhost = TestVhost::declared().await;
    let (sender, mut steps) = mpsc::unbounded_channel();
    let options = ConsumerOptions::new(1);
    let consumer = Running::sharing(
        &vhost,
        queues::DOWNLOADER_JOBS,
        options,
        &Arc::new(sender),
        async |sender, message| {
            let id = message.envelope.id;
            let sender = sender.clone();
            sender.send((id, "handled")).unwrap();
            Outcome::DoneThen(Then::new(move || sender.send((id, "then")).unwrap()))
        },
    );
    let sent = [job_requested(), job_requested()];

    publish(&vhost.publisher(), &sent).await;

    for message in &sent {
        for step in ["handled", "then"] {
            assert_eq!(soon(steps.recv()).await, Some((message.id, step)));
        }
    }
    consumer.stop().await;
    assert!(steps.try_recv().is_err());
    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [""; 0], "both are acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_be_retried_is_kept_while_others_are_handled() {
    let vhost = TestVhost::declared().await;
    let (slow, quick) = (job_requested(), job_requested());
    let stubborn = Arc::new((slow.id, AtomicU32::new(0)));
    let options = ConsumerOptions::new(2);
    let mut consumer =
        Running::sharing(&vhost, queues::DOWNLOADER_JOBS, options, &stubborn, async |stubborn, message| {
            let (id, calls) = &*stubborn;
            if message.envelope.id == *id && calls.fetch_add(1, Ordering::SeqCst) < 3 {
                return Outcome::Retry("the database is away".into());
            }
            Outcome::Done
        });

    publish(&vhost.publisher(), &[slow.clone(), quick.clone()]).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(consumer.next().await);
    }
    consumer.stop().await;

    let calls: Vec<_> = seen.iter().filter(|message| message.envelope == slow).collect();
    assert_eq!(calls.len(), 4);
    for call in calls {
        assert_eq!((call.redelivered, call.delivery_count), (false, 0), "it was given back to the broker");
    }
    assert!(seen[..2].iter().any(|message| message.envelope == quick), "it had to wait");
    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [""; 0]);
    assert_eq!(ids(&vhost.drain(queues::STATUS_DEAD_LETTERS).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_five_times_over_a_message_has_it_rejected() {
    let vhost = TestVhost::declared().await;
    let mut consumer =
        Running::start(&vhost, queues::DOWNLOADER_JOBS, ConsumerOptions::new(1), async |message| {
            assert!(message.envelope.sequence != 13, "thirteen");
            Outcome::Done
        });
    let mut dead_letters = DeadLetters::open(&vhost);
    let (unlucky, good) = (Envelope { sequence: 13, ..job_requested() }, job_requested());

    publish(&vhost.publisher(), &[unlucky.clone(), good.clone()]).await;

    for _ in 0..5 {
        assert_eq!(consumer.next().await.envelope, unlucky);
    }
    assert_eq!(dead_letters.next().await.reason, "handler panicked: thirteen");
    assert_eq!(consumer.next().await.envelope, good);
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_handlers_run_side_by_side_than_the_prefetch() {
    let vhost = TestVhost::declared().await;
    let counts = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let options = ConsumerOptions::new(3);
    let mut consumer =
        Running::sharing(&vhost, queues::DOWNLOADER_JOBS, options, &counts, async |counts, _| {
            let (count, most) = &*counts;
            most.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            count.fetch_sub(1, Ordering::SeqCst);
            Outcome::Done
        });
    let batch: Vec<_> = (0..100).map(|_| job_requested()).collect();

    publish(&vhost.publisher(), &batch).await;
    for _ in &batch {
        consumer.next().await;
    }
    consumer.stop().await;

    let most = counts.1.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_the_handler_finish_and_acknowledges_its_message() {
    let vhost = TestVhost::declared().await;
    let gate = Arc::new(Semaphore::new(0));
    let options = ConsumerOptions::new(1);
    let mut consumer = Running::sharing(&vhost, queues::DOWNLOADER_JOBS, options, &gate, async |gate, _| {
        let _ = gate.acquire().await;
        Outcome::Done
    });
    let (first, second) = (job_requested(), job_requested());
    publish(&vhost.publisher(), &[first.clone(), second.clone()]).await;
    consumer.next().await;

    eventually("it consumes", async || vhost.has_consumers().then_some(())).await;
    consumer.stop.cancel();
    eventually("it does not consume any more", async || (!vhost.has_consumers()).then_some(())).await;
    assert!(!consumer.task.is_finished());
    gate.add_permits(1);
    soon(consumer.task).await.unwrap().unwrap();

    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [second.id.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_does_not_finish_is_cut_off_and_its_message_stays() {
    let vhost = TestVhost::declared().await;
    let options = ConsumerOptions { grace: Duration::from_millis(100), ..ConsumerOptions::new(1) };
    let mut consumer = Running::start(&vhost, queues::DOWNLOADER_JOBS, options, async |_| {
        std::future::pending::<()>().await;
        Outcome::Done
    });
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;
    consumer.next().await;

    consumer.stop().await;

    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [message.id.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_a_message_that_is_being_retried() {
    let vhost = TestVhost::declared().await;
    let options = ConsumerOptions { grace: Duration::from_secs(3600), ..ConsumerOptions::new(1) };
    let mut consumer = Running::start(&vhost, queues::DOWNLOADER_JOBS, options, async |_| {
        Outcome::Retry("the database is away".into())
    });
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;
    consumer.next().await;

    consumer.stop().await;

    assert_eq!(ids(&vhost.drain(queues::DOWNLOADER_JOBS).await), [message.id.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_consumer_is_reported_repeatedly_but_not_while_a_handler_works() {
    let vhost = TestVhost::declared().await;
    let gate = Arc::new(Semaphore::new(0));
    let options = ConsumerOptions { idle_after: Duration::from_millis(50), ..ConsumerOptions::new(2) };
    let mut consumer = Running::sharing(&vhost, queues::DOWNLOADER_JOBS, options, &gate, async |gate, _| {
        let _ = gate.acquire().await;
        Outcome::Done
    });
    soon(consumer.idle.recv()).await.unwrap();
    soon(consumer.idle.recv()).await.unwrap();

    publish(&vhost.publisher(), &[job_requested()]).await;
    consumer.next().await;
    while consumer.idle.try_recv().is_ok() {}
    let silence = tokio::time::timeout(Duration::from_millis(500), consumer.idle.recv()).await;

    assert!(silence.is_err(), "a consumer at work is not idle");
    gate.add_permits(1);
    soon(consumer.idle.recv()).await.unwrap();
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_reaches_every_process_that_listens() {
    let vhost = TestVhost::declared().await;
    let (heard, mut hears) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut listeners = Vec::new();
    for name in ["one", "two"] {
        let (hooks, mut subscribed, _) = reporting_hooks();
        let (config, token, heard) = (vhost.settings(), stop.clone(), heard.clone());
        let options = ConsumerOptions::new(1).with_hooks(hooks);
        let listener = Listener { name, heard };
        listeners.push(tokio::spawn(async move { listen_control(&config, options, listener, token).await }));
        soon(subscribed.recv()).await.unwrap();
    }

    let hint = Envelope { exchange: topology::CONTROL.into(), ..command(commands::JOB_CANCEL) };
    publish(&vhost.publisher(), std::slice::from_ref(&hint)).await;

    let mut who = [soon(hears.recv()).await.unwrap(), soon(hears.recv()).await.unwrap()];
    who.sort();
    assert_eq!(who, [("one", hint.id), ("two", hint.id)]);
    stop.cancel();
    for listener in listeners {
        soon(listener).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_queue_outside_the_topology_is_refused_at_once() {
    let config = BrokerConfig::new("amqp://127.0.0.1:1/%2f", "test").unwrap();
    let (heard, _) = mpsc::unbounded_channel();
    let (options, listener) = (ConsumerOptions::new(1), Listener { name: "", heard });

    let error = consume(&config, "downloader.jobs.v0", options, listener, CancellationToken::new()).await;

    assert!(matches!(error, Err(ConsumeError::UnknownQueue(_))), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_a_consumer_that_never_reached_the_broker() {
    let config = BrokerConfig::new("amqp://127.0.0.1:1/%2f", "test").unwrap();
    let (heard, _) = mpsc::unbounded_channel();
    let (listener, stop) = (Listener { name: "", heard }, CancellationToken::new());
    let token = stop.clone();
    let options = ConsumerOptions::new(1);
    let task =
        tokio::spawn(
            async move { consume(&config, queues::DOWNLOADER_JOBS, options, listener, token).await },
        );

    stop.cancel();

    soon(task).await.unwrap().unwrap();
}

struct Listener {
    name: &'static str,
    heard: mpsc::UnboundedSender<(&'static str, uuid::Uuid)>,
}

impl Handler for Listener {
    async fn handle(&self, message: messaging::Incoming) -> Outcome {
        let _ = self.heard.send((self.name, message.envelope.id));
        Outcome::Done
    }
}

/// Reads the dead letters, as status does.
struct DeadLetters {
    letters: mpsc::UnboundedReceiver<DeadLetter>,
    _stop: tokio_util::sync::DropGuard,
}

struct Reader(mpsc::UnboundedSender<DeadLetter>);

impl Handler<DeadLetter> for Reader {
    async fn handle(&self, letter: DeadLetter) -> Outcome {
        let _ = self.0.send(letter);
        Outcome::Done
    }
}

impl DeadLetters {
    fn open(vhost: &TestVhost) -> Self {
        let (read, letters) = mpsc::unbounded_channel();
        let (config, stop) = (vhost.settings(), CancellationToken::new());
        let token = stop.clone();
        let queue = queues::STATUS_DEAD_LETTERS;
        let options = ConsumerOptions::new(10);
        tokio::spawn(async move { consume(&config, queue, options, Reader(read), token).await });
        Self { letters, _stop: stop.drop_guard() }
    }

    async fn next(&mut self) -> DeadLetter {
        soon(self.letters.recv()).await.expect("the reader runs")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_the_broker_moved_says_where_it_comes_from() {
    let vhost = TestVhost::declared().await;
    let message = job_requested();
    publish(&vhost.publisher(), std::slice::from_ref(&message)).await;
    let mut dead_letters = DeadLetters::open(&vhost);
    let connection = vhost.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let queue = || queues::DOWNLOADER_JOBS.into();

    let taken = eventually("the message is there again", async || {
        channel.basic_get(queue(), Default::default()).await.unwrap()
    })
    .await;
    taken.reject(Default::default()).await.unwrap();

    let letter = dead_letters.next().await;
    assert_eq!(letter.reason, "rejected");
    assert_eq!(letter.queue.as_deref(), Some(queues::DOWNLOADER_JOBS));
    assert_eq!(letter.envelope, Some(message));
}
