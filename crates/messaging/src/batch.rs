//! Consumes messages in batches, one batch at a time and in order; a batch is acknowledged as a whole.

use std::{ops::Range, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use lapin::options::BasicAckOptions;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::{
    acknowledgement::{Acknowledger, MAX_PANICS, Requeued, chain, panic_text},
    connection::BrokerConfig,
    consumer::{Cause, ConsumeError, known_queue},
    hooks::Hooks,
    incoming::{FromDelivery, Incoming, RawDelivery},
    semconv,
    subscription::{Activity, Loss, Next, Subscription, Supervisor},
};

/// Handles many messages in one transaction. Must be idempotent: any message may be delivered again.
pub trait BatchHandler: Send + Sync + 'static {
    /// Handles a batch, oldest message first. After `Ok` the named messages are rejected to the dead letters, and all
    /// are acknowledged. `Err` is transient: the handler is called with the same batch again.
    fn handle(&self, batch: &[Incoming]) -> impl Future<Output = Result<Vec<Rejected>, Cause>> + Send;
}

impl<H: BatchHandler> BatchHandler for Arc<H> {
    fn handle(&self, batch: &[Incoming]) -> impl Future<Output = Result<Vec<Rejected>, Cause>> + Send {
        (**self).handle(batch)
    }
}

/// A message of a batch that will never succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Index of the message in the batch.
    pub index: usize,
    /// Why it cannot be handled, for the dead letter.
    pub reason: String,
}

/// How a batch consumer behaves.
#[derive(Clone)]
pub struct BatchOptions {
    /// Most messages of a batch. The broker delivers as many ahead, for the next batch. Default 500.
    pub max_batch: u16,
    /// How long to wait for more messages when none is ready. Default zero: take what has been delivered.
    pub linger: Duration,
    /// How long a batch may go on after shutdown. Default 20 s.
    pub grace: Duration,
    /// Time without a delivery after which [`Hooks::on_idle`] is called; six times as long while deliveries keep coming.
    /// Default 5 s.
    pub idle_after: Duration,
    /// Callbacks.
    pub hooks: Hooks,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            max_batch: 500,
            linger: Duration::ZERO,
            grace: Duration::from_secs(20),
            idle_after: Duration::from_secs(5),
            hooks: Hooks::default(),
        }
    }
}

/// Consumes `queue` in batches until `shutdown`, then lets the batch at work finish. Subscribes again by
/// itself when the broker, the connection or the queue is lost.
///
/// # Errors
/// Only before the first subscription.
pub fn consume_batches<H: BatchHandler>(
    config: &BrokerConfig,
    queue: &'static str,
    options: BatchOptions,
    handler: H,
    shutdown: CancellationToken,
) -> impl Future<Output = Result<(), ConsumeError>> + Send + use<H> {
    let config = config.clone();
    async move { run(&config, queue, options, handler, shutdown).await }
}

async fn run<H: BatchHandler>(
    config: &BrokerConfig,
    queue: &'static str,
    options: BatchOptions,
    handler: H,
    shutdown: CancellationToken,
) -> Result<(), ConsumeError> {
    let source = known_queue(queue)?;
    config.check()?;
    let prefetch = options.max_batch.max(1).saturating_mul(2);
    let hooks = options.hooks.clone();
    let worker = BatchWorker {
        handler,
        acknowledger: Acknowledger::new(config, queue, shutdown.clone()),
        config: config.clone(),
        queue: queue.into(),
        options,
        stop: shutdown.clone(),
    };
    let mut supervisor = Supervisor::new(config.clone(), source, prefetch, hooks, shutdown);
    while let Some(mut subscription) = supervisor.next().await {
        match worker.pump(&supervisor, &mut subscription).await {
            None => {
                subscription.close().await;
                break;
            }
            Some(loss) => supervisor.lost(subscription, loss),
        }
    }
    supervisor.stop(worker.options.grace).await;
    Ok(())
}

struct BatchWorker<H> {
    handler: H,
    acknowledger: Acknowledger,
    config: BrokerConfig,
    queue: Arc<str>,
    options: BatchOptions,
    stop: CancellationToken,
}

/// The result of one handler call.
enum Verdict {
    Done(Vec<Rejected>),
    Retry(String),
    Panicked(String),
}

impl<H: BatchHandler> BatchWorker<H> {
    /// Handles batch after batch until the subscription is lost; `None` at shutdown.
    async fn pump(&self, supervisor: &Supervisor, subscription: &mut Subscription) -> Option<Loss> {
        loop {
            let next = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                next = subscription.next(self.options.idle_after) => next,
            };
            let first = match next {
                Next::Delivery(delivery) => RawDelivery::new(*delivery, self.queue.clone()),
                Next::Idle => match supervisor.look(subscription, Activity::None).await {
                    Some(loss) => return Some(loss),
                    None => continue,
                },
                Next::Lost(loss) => return Some(loss),
            };
            let (batch, loss) = self.fill(first, subscription).await;
            // A batch is requeued only at shutdown or when the channel is closed; the next round finds which.
            let _ = self.process(&batch).await;
            if loss.is_some() {
                return loss;
            }
            if subscription.is_probe_due(self.options.idle_after)
                && let Some(loss) = supervisor.look(subscription, Activity::Deliveries).await
            {
                return Some(loss);
            }
        }
    }

    /// Adds the messages that are ready, and those that arrive within the linger.
    async fn fill(
        &self,
        first: RawDelivery,
        subscription: &mut Subscription,
    ) -> (Vec<RawDelivery>, Option<Loss>) {
        let full = Instant::now() + self.options.linger;
        let mut batch = vec![first];
        while batch.len() < usize::from(self.options.max_batch) {
            let next = match subscription.ready() {
                Some(next) => next,
                None if self.options.linger.is_zero() => break,
                None => subscription.next(full.saturating_duration_since(Instant::now())).await,
            };
            match next {
                Next::Delivery(delivery) => batch.push(RawDelivery::new(*delivery, self.queue.clone())),
                Next::Idle => break,
                Next::Lost(loss) => return (batch, Some(loss)),
            }
        }
        (batch, None)
    }

    /// Handles the batch and acknowledges it as a whole.
    async fn process(&self, batch: &[RawDelivery]) -> Result<(), Requeued> {
        let mut readable = Vec::with_capacity(batch.len());
        let mut messages = Vec::with_capacity(batch.len());
        for raw in batch {
            semconv::consumed(raw);
            match Incoming::from_delivery(raw, self.config.authentication()) {
                Ok(message) => {
                    messages.push(message);
                    readable.push(raw);
                }
                Err(error) => self.acknowledger.reject(raw, &error.to_string()).await?,
            }
        }
        if !messages.is_empty() {
            self.handle_until_done(&readable, &messages).await?;
        }
        if let Some(last) = batch.last() {
            self.acknowledger.ack(last, BasicAckOptions { multiple: true }).await;
        }
        Ok(())
    }

    /// Calls the handler until every message is handled or rejected. When the handler panics over a batch, it gets the
    /// messages one by one, to find the one that causes the panic.
    async fn handle_until_done(&self, raws: &[&RawDelivery], messages: &[Incoming]) -> Result<(), Requeued> {
        let mut parts: Vec<Range<usize>> = std::iter::once(0..messages.len()).collect();
        let (mut attempt, mut panics) = (0, 0);
        while let Some(part) = parts.pop() {
            let (verdict, span) = self.call(&messages[part.clone()]).await?;
            let cause = match verdict {
                Verdict::Done(rejected) => {
                    for Rejected { index, reason } in rejected {
                        match raws[part.clone()].get(index) {
                            Some(raw) => {
                                self.acknowledger.reject(raw, &reason).instrument(span.clone()).await?;
                            }
                            None => {
                                let index = semconv::integer(index);
                                tracing::error!(index, "a batch handler rejected a message it was not given");
                            }
                        }
                    }
                    (attempt, panics) = (0, 0);
                    continue;
                }
                Verdict::Panicked(text) if part.len() > 1 => {
                    tracing::error!(queue = %self.queue, error = text, "a batch handler panicked");
                    parts.extend(part.rev().map(|index| index..index + 1));
                    continue;
                }
                Verdict::Panicked(text) => {
                    panics += 1;
                    if panics >= MAX_PANICS {
                        let reason = format!("handler panicked: {text}");
                        self.acknowledger.reject(raws[part.start], &reason).instrument(span).await?;
                        (attempt, panics) = (0, 0);
                        continue;
                    }
                    format!("handler panicked: {text}")
                }
                Verdict::Retry(cause) => cause,
            };
            attempt += 1;
            semconv::count(semconv::RETRIES, &self.queue);
            let size = semconv::integer(part.len());
            span.in_scope(|| {
                tracing::warn!(queue = %self.queue, size, attempt = i64::from(attempt), error = cause, "a batch is kept and tried again");
            });
            drop(span);
            self.acknowledger.pause(attempt, &raws[part.start].delivery.acker).await?;
            parts.push(part);
        }
        Ok(())
    }

    async fn call(&self, messages: &[Incoming]) -> Result<(Verdict, Span), Requeued> {
        let span = semconv::batch_span(&self.config, &self.queue, messages.len());
        if let Some(link) = self.options.hooks.link_span {
            let traces: Vec<_> = messages.iter().filter_map(FromDelivery::trace).collect();
            link(&span, &traces);
        }
        let started = Instant::now();
        let call = AssertUnwindSafe(async { self.handler.handle(messages).await }).catch_unwind();
        let result = tokio::select! {
            result = call.instrument(span.clone()) => result,
            () = self.grace_over() => return Err(Requeued),
        };
        let (verdict, error) = match result {
            Ok(Ok(rejected)) => (Verdict::Done(rejected), None),
            Ok(Err(cause)) => (Verdict::Retry(chain(&*cause)), Some("transient")),
            Err(panic) => (Verdict::Panicked(panic_text(&*panic).to_owned()), Some("panic")),
        };
        if let Some(error) = error {
            semconv::mark_failed(&span, error);
        }
        semconv::processed(self.queue.to_string(), &self.queue, started.elapsed(), error);
        Ok((verdict, span))
    }

    async fn grace_over(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(self.options.grace).await;
        tracing::warn!(queue = %self.queue, "a batch did not finish within the grace period");
    }
}
