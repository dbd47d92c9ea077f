//! A virtual host per test, messages to send, handlers that tell what they were given.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use lapin::{Connection, ConnectionProperties, options::BasicGetOptions};
use messaging::{
    BrokerConfig, ConsumeError, ConsumerOptions, Envelope, Handler, Hooks, Incoming, Outcome, Publisher,
    Subscribed, consume, topology,
};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Nothing here takes a tenth of it on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A virtual host that goes when the test ends, however it ends.
pub(crate) struct Vhost {
    name: String,
    url: String,
}

impl Vhost {
    pub(crate) fn new() -> Self {
        let name = format!("test-{}", Uuid::now_v7());
        let broker = variable("AMQP_URL");
        let (authority, _) = broker.rsplit_once('/').expect("AMQP_URL ends in a virtual host");
        let (user, ..) = credentials();
        let vhost = Self { url: format!("{authority}/{name}"), name };
        management("PUT", &format!("/api/vhosts/{}", vhost.name), "");
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        management("PUT", &format!("/api/permissions/{}/{user}", vhost.name), all);
        vhost
    }

    pub(crate) fn config(&self) -> BrokerConfig {
        BrokerConfig::new(&self.url, "test").expect("AMQP_URL is an AMQP address")
    }

    pub(crate) fn publisher(&self) -> Publisher {
        Publisher::new(self.config(), "publish")
    }

    pub(crate) fn delete_queue(&self, queue: &str) {
        management("DELETE", &format!("/api/queues/{}/{queue}", self.name), "");
    }

    /// Ends the connections whose name contains `role`, as an operator would. Waits for one to be
    /// listed, since the management plugin learns of connections a little later.
    pub(crate) async fn kill_connections(&self, role: &str) {
        let listed = eventually(async || {
            let list = management("GET", &format!("/api/vhosts/{}/connections", self.name), "");
            let list: serde_json::Value = serde_json::from_str(&list).expect("a list of connections");
            let connections = list.as_array().cloned().unwrap_or_default();
            let named = connections.into_iter().filter(|connection| {
                connection["user_provided_name"].as_str().is_some_and(|name| name.contains(role))
            });
            let names: Vec<_> = named.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
            (!names.is_empty()).then_some(names)
        })
        .await;
        for name in listed {
            let name = name.replace(' ', "%20").replace('>', "%3E").replace(':', "%3A");
            management("DELETE", &format!("/api/connections/{name}"), "");
        }
    }

    /// Takes everything that is in `queue` and nobody's.
    pub(crate) async fn drain(&self, queue: &str) -> Vec<lapin::message::Delivery> {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let mut taken = Vec::new();
        let options = BasicGetOptions { no_ack: true };
        while let Some(message) = channel.basic_get(queue.into(), options).await.unwrap() {
            taken.push(message.delivery);
        }
        connection.close(200, "bye".into()).await.unwrap();
        taken
    }

    /// Whether the broker would deliver to anybody. Counts of consumers do not tell: one that was
    /// cancelled is counted until its messages are settled.
    pub(crate) fn has_consumers(&self) -> bool {
        management("GET", &format!("/api/consumers/{}", self.name), "") != "[]"
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap()
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        management("DELETE", &format!("/api/vhosts/{}", self.name), "");
    }
}

/// Tries until there is an answer.
pub(crate) async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = attempt().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "nothing happened within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

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

/// A handler made of a function; tells what it was given before it answers.
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
    pub(crate) fn start<F, A>(vhost: &Vhost, queue: &'static str, options: ConsumerOptions, answer: F) -> Self
    where
        F: Fn(Incoming) -> A + Send + Sync + 'static,
        A: Future<Output = Outcome> + Send + 'static,
    {
        let (given, receive_given) = mpsc::unbounded_channel();
        let (hooks, subscribed, idle) = reporting_hooks();
        let (config, stop) = (vhost.config(), CancellationToken::new());
        let token = stop.clone();
        let task = tokio::spawn(async move {
            consume(&config, queue, options.with_hooks(hooks), Telling { given, answer }, token).await
        });
        Self { given: receive_given, subscribed, idle, stop, task }
    }

    /// Begins to consume `queue` with a handler that shares `state` with the test.
    pub(crate) fn sharing<S, F, A>(
        vhost: &Vhost,
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

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: `make test` starts a RabbitMQ for the tests and sets it")
    })
}

/// The user of the management API, and what to write into `Authorization` and `Host`.
fn credentials() -> (String, String, String) {
    let url = variable("AMQP_MANAGEMENT_URL");
    let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').expect("AMQP_MANAGEMENT_URL names a user");
    let name = user.split(':').next().unwrap_or_default();
    (name.to_owned(), base64(user.as_bytes()), host.to_owned())
}

/// One call of the management API, over HTTP/1.0 so that the body ends with the connection.
pub(crate) fn management(method: &str, path: &str, body: &str) -> String {
    let (_, authorization, host) = credentials();
    let mut stream = TcpStream::connect(&host).expect("AMQP_MANAGEMENT_URL answers");
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Basic {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    // What is gone already need not be deleted.
    let fine = status.starts_with('2') || (method == "DELETE" && status == "404");
    assert!(fine || std::thread::panicking(), "{method} {path}: {head}");
    body.to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
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
