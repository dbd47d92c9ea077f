//! Commits, publishes and deliveries: counted where they are part of more, and done alone as the floor.

use std::fmt;
use std::time::Duration;

use futures::StreamExt as _;
use it::System;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use sqlx::Connection as _;
use sqlx_postgres::PgConnection;

use crate::measure::busy;

/// For how many jobs the floor does what they need.
const ROUNDS: u32 = 500;
const EXCHANGE: &str = "bench.steps";
/// Connections that commit, and messages that are on their way to the broker, at the same time.
const AT_ONCE: usize = 10;

/// How often something was done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    /// Transactions that wrote something.
    pub(crate) commits: f64,
    /// Messages that were published and confirmed.
    pub(crate) published: f64,
    /// Messages that were delivered and acknowledged.
    pub(crate) delivered: f64,
}

impl Steps {
    /// Those that were done since `before`.
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            commits: self.commits - before.commits,
            published: self.published - before.published,
            delivered: self.delivered - before.delivered,
        }
    }

    /// Those of each of `count` jobs.
    pub(crate) fn each(self, count: u32) -> Self {
        let count = f64::from(count);
        Self {
            commits: self.commits / count,
            published: self.published / count,
            delivered: self.delivered / count,
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, published, delivered } = self;
        write!(f, "{commits:.1} commits, {published:.1} publishes, {delivered:.1} deliveries")
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn times(each: f64) -> usize {
    (each * f64::from(ROUNDS)).round().max(0.0) as usize
}

/// The processor time, of this process and the servers, of so many bare commits, publishes and deliveries.
pub(crate) async fn bare(system: &System, steps: &Steps) -> Duration {
    system.database.execute("CREATE TABLE public.steps (id bigint, body text)").await;
    system.database.execute("GRANT INSERT ON public.steps TO PUBLIC").await;
    let broker = Connection::connect(system.vhost.as_ref().unwrap().url(), ConnectionProperties::default());
    let broker = broker.await.unwrap();
    let sender = broker.create_channel().await.unwrap();
    sender.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let receiver = broker.create_channel().await.unwrap();
    declare(&receiver).await;
    let writers = open(system.database.url()).await;

    let began = busy();
    commit(writers, times(steps.commits)).await;
    // Some messages have a second queue.
    let (published, second) = (times(steps.published), times(steps.delivered - steps.published));
    let received = [receive(&receiver, "all", published), receive(&receiver, "some", second)];
    let (received, ()) =
        tokio::join!(futures::future::join_all(received), publish(&sender, published, second));
    assert_eq!(received, [published, second]);
    busy().saturating_sub(began) / ROUNDS
}

async fn open(url: &str) -> Vec<PgConnection> {
    let mut connections = Vec::new();
    for _ in 0..AT_ONCE {
        connections.push(PgConnection::connect(url).await.unwrap());
    }
    connections
}

async fn commit(writers: Vec<PgConnection>, count: usize) {
    let mut tasks = Vec::new();
    for mut connection in writers {
        tasks.push(tokio::spawn(async move {
            for number in 0..count / AT_ONCE {
                sqlx::query("INSERT INTO public.steps VALUES ($1, $2)")
                    .bind(i64::try_from(number).unwrap())
                    .bind("x".repeat(800))
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

async fn declare(channel: &Channel) {
    let table = FieldTable::default;
    let options = ExchangeDeclareOptions::default();
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, options, table()).await.unwrap();
    for (queue, key) in [("all", "#"), ("some", "some")] {
        let mut arguments = table();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(name(queue).into(), options, arguments).await.unwrap();
        let options = QueueBindOptions::default();
        channel.queue_bind(name(queue).into(), EXCHANGE.into(), key.into(), options, table()).await.unwrap();
    }
}

fn name(queue: &str) -> String {
    format!("{EXCHANGE}.{queue}")
}

async fn publish(channel: &Channel, count: usize, some: usize) {
    let send = async |number| {
        let key = if number < some { "some" } else { "one" };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(EXCHANGE.into(), key.into(), options, &[b'x'; 800], properties);
        sent.await.unwrap().await.unwrap();
    };
    futures::stream::iter(0..count).for_each_concurrent(AT_ONCE, send).await;
}

/// Acknowledges so many messages of a queue; how many there were.
async fn receive(channel: &Channel, queue: &str, count: usize) -> usize {
    let options = BasicConsumeOptions::default();
    let deliveries =
        channel.basic_consume(name(queue).into(), "".into(), options, FieldTable::default()).await.unwrap();
    let mut taken = deliveries.take(count);
    let mut received = 0;
    while let Some(delivery) = taken.next().await {
        delivery.unwrap().ack(BasicAckOptions::default()).await.unwrap();
        received += 1;
    }
    received
}
