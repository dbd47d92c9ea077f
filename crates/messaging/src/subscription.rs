//! Keeps a subscription to a queue: opens it, checks it, and opens it again when it is lost.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use lapin::{
    Channel, Connection, Consumer,
    message::Delivery,
    options::{
        BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{FieldTable, ShortString},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    broker_error::BrokerError,
    connection::{BrokerConfig, abandon, backoff_jittered, close},
    declaration::{declare_topology, is_not_found},
    hooks::{HookRunner, Hooks, Subscribed},
    probe::{Counts, counts},
    semconv, topology,
};

/// A subscription lost sooner than this counts as a failed attempt, so that the waits keep growing.
const STABLE_AFTER: Duration = Duration::from_secs(5);
/// While deliveries keep coming, there is a look for lost messages once in so many times of an idle consumer.
const LOOKS_WHEN_BUSY: u32 = 6;

/// The queue to consume.
#[derive(Clone)]
pub(crate) enum Source {
    /// A queue of the topology.
    Queue(Arc<str>),
    /// A temporary queue bound to [`topology::CONTROL`], deleted with its subscription.
    Control,
}

/// Why a subscription was lost.
#[derive(Debug)]
pub(crate) enum Loss {
    /// The queue was deleted, though it may exist again by now.
    QueueGone(&'static str),
    /// The channel or the connection broke.
    Disconnected(String),
}

/// What a subscription yields next.
pub(crate) enum Next {
    Delivery(Box<Delivery>),
    /// No delivery for the given time.
    Idle,
    Lost(Loss),
}

/// Keeps one subscription open: connects, declares the topology, subscribes, and repeats that after a loss.
pub(crate) struct Supervisor {
    config: BrokerConfig,
    source: Source,
    prefetch: u16,
    shutdown: CancellationToken,
    hooks: HookRunner,
    earlier: u64,
    attempt: u32,
    queue_gone: bool,
}

pub(crate) struct Subscription {
    connection: Connection,
    channel: Channel,
    consumer: Consumer,
    since: Instant,
    created: bool,
    /// At the last probe, messages were waiting although this consumer was free.
    starving: bool,
    /// When it was last probed.
    probed: Instant,
}

impl Source {
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::Queue(name) => name.clone(),
            Self::Control => topology::CONTROL.into(),
        }
    }
}

impl Supervisor {
    pub(crate) fn new(
        config: BrokerConfig,
        source: Source,
        prefetch: u16,
        hooks: Hooks,
        shutdown: CancellationToken,
    ) -> Self {
        let hooks = HookRunner::start(hooks);
        Self { config, source, prefetch, shutdown, hooks, earlier: 0, attempt: 0, queue_gone: false }
    }

    /// The next subscription; `None` at shutdown.
    pub(crate) async fn next(&mut self) -> Option<Subscription> {
        let shutdown = self.shutdown.clone();
        shutdown.run_until_cancelled(self.subscribe_with_retries()).await
    }

    async fn subscribe_with_retries(&mut self) -> Subscription {
        let queue = self.source.name();
        loop {
            if self.attempt > 0 {
                tokio::time::sleep(backoff_jittered(self.attempt)).await;
            }
            self.attempt = self.attempt.saturating_add(1);
            match Subscription::open(&self.config, &self.source, self.prefetch).await {
                Ok(subscription) => {
                    let created = subscription.created || std::mem::take(&mut self.queue_gone);
                    tracing::info!(queue = %queue, created, "subscribed to {queue}");
                    self.hooks.subscribed(Subscribed { queue, created, earlier: self.earlier });
                    self.earlier += 1;
                    return subscription;
                }
                Err(error) => {
                    tracing::warn!(queue = %queue, error = %error, "cannot subscribe to {queue} yet");
                }
            }
        }
    }

    /// Probes the subscription, and calls the idle hook if messages may have been lost; or reports that the subscription
    /// is lost.
    pub(crate) async fn look(&self, subscription: &mut Subscription, activity: Activity) -> Option<Loss> {
        let messages = match subscription.probe(&self.config, activity).await {
            Ok(messages) => messages,
            Err(loss) => return Some(loss),
        };
        match activity {
            Activity::None => self.hooks.idle(),
            Activity::Handlers => {}
            // What stands in line was not lost, and would be handled twice.
            Activity::Deliveries if messages > 0 => {}
            Activity::Deliveries => self.hooks.idle(),
        }
        None
    }

    /// Closes what is left of a lost subscription.
    pub(crate) fn lost(&mut self, subscription: Subscription, loss: Loss) {
        let cause = match loss {
            Loss::QueueGone(cause) => {
                self.queue_gone = true;
                cause.to_owned()
            }
            Loss::Disconnected(cause) => cause,
        };
        let queue = self.source.name();
        tracing::warn!(queue = %queue, cause, "lost the subscription to {queue}");
        semconv::count(semconv::SUBSCRIPTIONS_LOST, &queue);
        if subscription.since.elapsed() >= STABLE_AFTER {
            self.attempt = 1;
        }
        abandon(subscription.connection);
    }

    pub(crate) async fn stop(self, grace: Duration) {
        self.hooks.stop(grace).await;
    }
}

/// What a consumer does when its subscription is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing: there was no delivery for a time.
    None,
    /// There was no delivery for a time, but handlers are at work.
    Handlers,
    /// Deliveries keep coming.
    Deliveries,
}

impl Subscription {
    async fn open(config: &BrokerConfig, source: &Source, prefetch: u16) -> Result<Self, BrokerError> {
        let connection = config.connect(&format!("consume {}", source.name())).await?;
        match Self::begin(config, &connection, source, prefetch).await {
            Ok((created, (channel, consumer))) => {
                let now = Instant::now();
                let (since, probed) = (now, now);
                Ok(Self { connection, channel, consumer, since, created, starving: false, probed })
            }
            Err(error) => {
                // The broker may complete the subscription after the timeout, and would then deliver to nobody.
                abandon(connection);
                Err(error)
            }
        }
    }

    /// Declares the topology and subscribes. Returns whether the queue was created.
    async fn begin(
        config: &BrokerConfig,
        connection: &Connection,
        source: &Source,
        prefetch: u16,
    ) -> Result<(bool, (Channel, Consumer)), BrokerError> {
        let declaring = declare_topology(connection, config.account());
        let created = config.bounded("declaring the topology", declaring).await?;
        let subscribed = config.bounded("subscribing", subscribe(connection, source, prefetch)).await?;
        Ok((created.contains(&&*source.name()), subscribed))
    }

    /// Waits for a delivery, at most `idle_after`.
    pub(crate) async fn next(&mut self, idle_after: Duration) -> Next {
        match tokio::time::timeout(idle_after, self.consumer.next()).await {
            Err(_) => Next::Idle,
            Ok(Some(Ok(delivery))) => {
                self.starving = false;
                Next::Delivery(Box::new(delivery))
            }
            Ok(Some(Err(error))) => Next::Lost(Loss::Disconnected(error.to_string())),
            Ok(None) if self.channel.status().connected() => {
                Next::Lost(Loss::QueueGone("the broker cancelled the subscription"))
            }
            Ok(None) => Next::Lost(Loss::Disconnected("channel closed".to_owned())),
        }
    }

    /// Whether it was not probed for long, since deliveries keep coming.
    pub(crate) fn is_probe_due(&self, idle_after: Duration) -> bool {
        self.probed.elapsed() >= idle_after.saturating_mul(LOOKS_WHEN_BUSY)
    }

    /// What has arrived already, without waiting.
    pub(crate) fn ready(&mut self) -> Option<Next> {
        self.next(Duration::MAX).now_or_never()
    }

    /// Checks this subscription at the broker. An idle consumer may be one that the broker has dropped, or one that
    /// stays registered at a deleted queue (see [`topology`]). The second case shows by messages that wait at two
    /// probes in a row. Returns how many messages stand in line.
    async fn probe(&mut self, config: &BrokerConfig, activity: Activity) -> Result<u32, Loss> {
        self.probed = Instant::now();
        let counting = counts(&self.connection, self.consumer.queue());
        let Counts { consumers, messages } = match config.bounded("probing the queue", counting).await {
            Ok(counts) => counts,
            Err(BrokerError::Amqp { source, .. }) if is_not_found(&source) => {
                return Err(Loss::QueueGone("the queue does not exist"));
            }
            Err(error) => return Err(Loss::Disconnected(error.to_string())),
        };
        if !self.channel.status().connected() {
            return Err(Loss::Disconnected("channel closed".to_owned()));
        }
        if consumers == 0 {
            return Err(Loss::QueueGone("the broker has no consumer on the queue"));
        }
        let starving = messages > 0 && activity == Activity::None;
        if starving && self.starving {
            return Err(Loss::QueueGone("messages wait, but are not delivered"));
        }
        self.starving = starving;
        Ok(messages)
    }

    /// Stops the deliveries; those received can still be acknowledged.
    pub(crate) async fn cancel(&self, config: &BrokerConfig) {
        let cancel = self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default());
        if let Err(error) = config.bounded("cancelling", cancel).await {
            tracing::debug!(error = %error, "the subscription was over before it was cancelled");
        }
    }

    /// Closes the connection; the broker requeues the unacknowledged deliveries.
    pub(crate) async fn close(self) {
        close(self.connection).await;
    }
}

async fn subscribe(
    connection: &Connection,
    source: &Source,
    prefetch: u16,
) -> lapin::Result<(Channel, Consumer)> {
    let channel = connection.create_channel().await?;
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let queue = match source {
        Source::Queue(name) => ShortString::from(&**name),
        Source::Control => control_queue(&channel).await?,
    };
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?;
    Ok((channel, consumer))
}

async fn control_queue(channel: &Channel) -> lapin::Result<ShortString> {
    let options = QueueDeclareOptions::exclusive().auto_delete();
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
    let (name, exchange) = (queue.name().clone(), topology::CONTROL.into());
    let options = QueueBindOptions::default();
    channel.queue_bind(name.clone(), exchange, "".into(), options, FieldTable::default()).await?;
    Ok(name)
}
