//! Messages to send, handlers that report what they receive.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use messaging::{
    ConsumeError, ConsumerOptions, Envelope, Handler, Hooks, Incoming, Outcome, Publisher, Subscribed,
    consume, topology,
};
use test_support::{PATIENCE, TestVhost};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Waits for `work`, but not for ever.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes too long")
}

/// An event of a kind that the queue named in the test receives.
pub(crate) fn event(kind: &str) -> Envelope {
    Envelope {
        id: Uuid::now_v7(),
        source: "/modelday/test".into(),
        kind: kind.into(),
        subject: Some("portfolio/default".into()),
        time: DateTime::from_timestamp_micros(1_759_325_400_123_456).unwrap(),
        sequence: 42,
        correlation: Some(Uuid::now_v7()),
        dataschema: "https://modelday.example/schemas/job.requested.v1.json".into(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        tracestate: Some("vendor=opaque".into()),
        exchange: topology::EVENTS.into(),
        routing_key: kind.into(),
        app_id: "test".into(),
        body: Bytes::from_static(br#"{"job_id":"1"}"#),
        first_published: None,
    }
}

pub(crate) fn job_requested() -> Envelope {
    event("modelday.job.requested.v1")
}

pub(crate) fn command(name: &str) -> Envelope {
    Envelope { exchange: topology::COMMANDS.into(), routing_key: name.into(), ..event(name) }
}

/// Publishes and insists on it.
pub(crate) async fn publish(publisher: &Publisher, batch: &[Envelope]) {
    let published = publisher.publish_in_order(batch).await;
    assert!(published.failure.is_none(), "{:?}", published.failure);
    assert_eq!(published.confirmed, vec![true; batch.len()]);
}

/// Publishes messages without a pause until `awaited` happens.
pub(crate) async fn publish_until<T>(publisher: &Publisher, awaited: impl Future<Output = T>) -> T {
    let publishing = async {
        loop {
            publish(publisher, &[job_requested()]).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        never = publishing => never,
        happened = soon(awaited) => happened,
    }
}

/// A handler made of a function; reports each message before it returns.
pub(crate) struct Telling<F> {
    given: mpsc::UnboundedSender<Incoming>,
    answer: F,
}

impl<F, A> Handler for Telling<F>
where
    F: Fn(Incoming) -> A + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send,
{
    async fn handle(&self, message: Incoming) -> Outcome {
        self.given.send(message.clone()).expect("the test listens");
        (self.answer)(message).await
    }
}

/// A consumer at work.
pub(crate) struct Running {
    pub(crate) given: mpsc::UnboundedReceiver<Incoming>,
    pub(crate) subscribed: mpsc::UnboundedReceiver<Subscribed>,
    pub(crate) idle: mpsc::UnboundedReceiver<()>,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), ConsumeError>>,
}

impl Running {
    /// Begins to consume `queue`.
    pub(crate) fn start<F, A>(
        vhost: &TestVhost,
        queue: &'static str,
        options: ConsumerOptions,
        answer: F,
    ) -> Self
    where
        F: Fn(Incoming) -> A + Send + Sync + 'static,
        A: Future<Output = Outcome> + Send + 'static,
    {
        let (given, receive_given) = mpsc::unbounded_channel();
        let (hooks, subscribed, idle) = reporting_hooks();
        let (config, stop) = (vhost.settings(), CancellationToken::new());
        let token = stop.clone();
        let task = tokio::spawn(async move {
            consume(&config, queue, options.with_hooks(hooks), Telling { given, answer }, token).await
        });
        Self { given: receive_given, subscribed, idle, stop, task }
    }

    /// Begins to consume `queue` with a handler that shares `state` with the test.
    pub(crate) fn sharing<S, F, A>(
        vhost: &TestVhost,
        queue: &'static str,
        options: ConsumerOptions,
        state: &Arc<S>,
        answer: F,
    ) -> Self
    where
        S: Send + Sync + 'static,
        F: Fn(Arc<S>, Incoming) -> A + Send + Sync + 'static,
        A: Future<Output = Outcome> + Send + 'static,
    {
        let state = state.clone();
        Self::start(vhost, queue, options, move |message| answer(state.clone(), message))
    }

    pub(crate) async fn next(&mut self) -> Incoming {
        soon(self.given.recv()).await.expect("the consumer runs")
    }

    pub(crate) async fn next_subscription(&mut self) -> Subscribed {
        soon(self.subscribed.recv()).await.expect("the consumer runs")
    }

    /// Stops the consumer and waits until it is done.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        soon(self.task).await.expect("the consumer does not panic").expect("it ends well");
    }
}

type Reports<T> = mpsc::UnboundedReceiver<T>;

pub(crate) fn reporting_hooks() -> (Hooks, Reports<Subscribed>, Reports<()>) {
    let (tell_subscribed, subscribed) = mpsc::unbounded_channel();
    let (tell_idle, idle) = mpsc::unbounded_channel();
    let hooks = Hooks::default()
        .on_subscribed(move |event| {
            let _ = tell_subscribed.send(event);
            async {}
        })
        .on_idle(move || {
            let _ = tell_idle.send(());
            async {}
        });
    (hooks, subscribed, idle)
}

/// The ids of messages, as they are on the wire.
pub(crate) fn ids(deliveries: &[lapin::message::Delivery]) -> Vec<String> {
    let id =
        |delivery: &lapin::message::Delivery| delivery.properties.message_id().as_ref().unwrap().to_string();
    deliveries.iter().map(id).collect()
}

/// Now, for comparing with what a message says.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
