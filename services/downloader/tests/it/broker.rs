//! Messages that the downloader rejects, and messages that the broker lost.

use bytes_of::envelope;
use domain::events::event::Event;
use messaging::topology::queues;
use messaging::{ConsumerOptions, DeadLetter, Handler, Outcome, Publisher};
use standin::AlphaVantage;
use tokio::sync::mpsc;

use crate::support::{World, eventually, job, names};

mod bytes_of {
    use domain::events::event::Event;
    use messaging::Envelope;
    use storage::outbox::StoredMessage;

    /// The message of an event; `body` replaces its own.
    pub(super) fn envelope(event: &Event, body: Option<&str>) -> Envelope {
        let message = runtime::outgoing::event(event).unwrap();
        let stored = StoredMessage {
            id: 1,
            event_id: message.event_id,
            kind: message.kind.to_owned(),
            exchange: message.exchange.to_owned(),
            routing_key: message.routing_key.to_owned(),
            job_id: message.job.0,
            traceparent: None,
            body: body.map_or(message.body, str::to_owned),
            created_at: chrono::Utc::now(),
            original: None,
        };
        runtime::relay::envelope(&stored, "trigger", &Default::default())
    }
}

struct Collect(mpsc::UnboundedSender<DeadLetter>);

impl Handler<DeadLetter> for Collect {
    async fn handle(&self, letter: DeadLetter) -> Outcome {
        let _ = self.0.send(letter);
        Outcome::Done
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_message_is_dead_lettered_with_its_reason_and_the_next_is_handled() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;
    let (letters, mut received) = mpsc::unbounded_channel();
    let (config, stop) = (world.vhost.settings(), runtime::CancellationToken::new());
    let queue = queues::STATUS_DEAD_LETTERS;
    let consumer = {
        let (config, stop) = (config.clone(), stop.clone());
        tokio::spawn(async move {
            messaging::consume(&config, queue, ConsumerOptions::new(1), Collect(letters), stop)
                .await
                .unwrap();
        })
    };
    let unknown = job(&["AAPL"], "2025-10-01", "2025-10-03");
    let event = Event::JobRequested(unknown.clone());
    let garbage = envelope(&event, Some("not json"));
    let publisher = Publisher::new(config, "test");
    let published = publisher.publish_in_order(&[garbage, envelope(&event, None)]).await;
    assert!(published.failure.is_none(), "{:?}", published.failure);

    let mut reasons = vec![received.recv().await.unwrap().reason, received.recv().await.unwrap().reason];
    reasons.sort();
    let good = world.prepare(&job(&["AAPL"], "2025-10-01", "2025-10-03")).await;

    assert_eq!(reasons[0], format!("job {} is not known to trigger", unknown.id));
    assert!(reasons[1].contains("modelday.job.requested.v1"), "{reasons:?}");
    assert_eq!(names(&good), ["started", "progressed", "ready"]);
    stop.cancel();
    consumer.await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_broker_lost_is_found_in_triggers_outbox() {
    let mut world = World::start(AlphaVantage::builder(), &[]).await;
    let job = job(&["AAPL"], "2025-10-01", "2025-10-03");
    // As if the broker had confirmed and then lost it: the relay does not send it.
    let mut transaction = world.trigger.begin().await.unwrap();
    let message = runtime::outgoing::event(&Event::JobRequested(job.clone())).unwrap();
    sqlx::query("INSERT INTO jobs (id, body, accepted_at) VALUES ($1, $2, now())")
        .bind(job.id.0)
        .bind(&message.body)
        .execute(&mut *transaction)
        .await
        .unwrap();
    storage::outbox::write(&mut transaction, &[message]).await.unwrap();
    sqlx::query("UPDATE outbox SET sent_at = now()").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();

    let events = world.outcome(job.id).await;

    assert_eq!(names(&events), ["started", "progressed", "ready"]);
    let unsent = eventually("the outbox is sent", async || {
        let unsent = storage::outbox::backlog(&world.market).await.unwrap().depth;
        (unsent == 0).then_some(unsent)
    });
    unsent.await;
    world.stop().await;
}
