//! Consumes messages one by one, with several handlers side by side.
//!
//! The broker delivers at most `prefetch` unacknowledged messages, and each gets a task. A semaphore keeps the bound
//! when handlers of a lost subscription are still at work while the next subscription has begun.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use lapin::options::BasicAckOptions;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, Span};

use crate::{
    acknowledgement::{Acknowledger, MAX_PANICS, Requeued, chain, panic_text},
    broker_error::BrokerError,
    connection::BrokerConfig,
    hooks::Hooks,
    incoming::{FromDelivery, Incoming, RawDelivery},
    semconv,
    subscription::{Activity, Loss, Next, Source, Subscription, Supervisor},
    topology,
};

/// Why a message could not be handled this time. It keeps the original error, so that its causes can be logged.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Handles messages. Must be idempotent: any message may be delivered again.
pub trait Handler<M = Incoming>: Send + Sync + 'static {
    /// Handles one message; the outcome says what becomes of it.
    fn handle(&self, message: M) -> impl Future<Output = Outcome> + Send;
}

impl<M, H: Handler<M>> Handler<M> for Arc<H> {
    fn handle(&self, message: M) -> impl Future<Output = Outcome> + Send {
        (**self).handle(message)
    }
}

/// The result of handling one message.
#[derive(Debug)]
pub enum Outcome {
    /// Its effect is committed, now or before: acknowledge it.
    Done,
    /// The same, and call this after the acknowledgement.
    DoneThen(Then),
    /// The infrastructure failed: keep the message, wait, and call the handler again.
    Retry(Cause),
    /// It will never succeed: reject it to the dead letters with this reason.
    Reject(String),
}

/// A call that follows an acknowledgement. It is lost when the process dies in between.
pub struct Then(Box<dyn FnOnce() + Send>);

impl Then {
    /// `then` must not block.
    #[must_use]
    pub fn new(then: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(then))
    }
}

impl std::fmt::Debug for Then {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Then")
    }
}

/// How a consumer behaves.
#[derive(Clone)]
pub struct ConsumerOptions {
    /// Most unacknowledged messages at a time, which is also the most handlers at work.
    pub prefetch: u16,
    /// How long handlers may go on after shutdown; a message that is not handled by then is delivered again.
    /// Default 20 s.
    pub grace: Duration,
    /// Time without a delivery after which [`Hooks::on_idle`] is called; six times as long while deliveries keep coming.
    /// Default 5 s.
    pub idle_after: Duration,
    /// Callbacks.
    pub hooks: Hooks,
}

impl ConsumerOptions {
    /// The defaults with this `prefetch`, at least 1.
    #[must_use]
    pub fn new(prefetch: u16) -> Self {
        let prefetch = prefetch.max(1);
        let (grace, idle_after) = (Duration::from_secs(20), Duration::from_secs(5));
        Self { prefetch, grace, idle_after, hooks: Hooks::default() }
    }

    /// Adds callbacks.
    #[must_use]
    pub fn with_hooks(self, hooks: Hooks) -> Self {
        Self { hooks, ..self }
    }
}

/// Why a consumer could not start.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// Not one of [`topology::QUEUES`].
    #[error("queue {0:?} is not part of the topology")]
    UnknownQueue(String),
    /// The configuration is wrong, so that reconnecting would not help.
    #[error(transparent)]
    Config(#[from] BrokerError),
}

/// Consumes `queue` until `shutdown`, then lets the handlers at work finish. Subscribes again by itself
/// when the broker, the connection or the queue is lost. To stop it, cancel the token; dropping the
/// future aborts the handlers at work.
///
/// # Errors
/// Only before the first subscription.
pub fn consume<M, H>(
    config: &BrokerConfig,
    queue: &'static str,
    options: ConsumerOptions,
    handler: H,
    shutdown: CancellationToken,
) -> impl Future<Output = Result<(), ConsumeError>> + Send + use<M, H>
where
    M: FromDelivery,
    H: Handler<M>,
{
    let config = config.clone();
    async move { run(&config, known_queue(queue)?, options, handler, shutdown).await }
}

/// Consumes the hints on [`topology::CONTROL`] until `shutdown`. Every listening process gets every hint that is
/// published meanwhile, and none published before.
///
/// # Errors
/// Only before the first subscription.
pub fn listen_control<M, H>(
    config: &BrokerConfig,
    options: ConsumerOptions,
    handler: H,
    shutdown: CancellationToken,
) -> impl Future<Output = Result<(), ConsumeError>> + Send + use<M, H>
where
    M: FromDelivery,
    H: Handler<M>,
{
    let config = config.clone();
    async move { run(&config, Source::Control, options, handler, shutdown).await }
}

pub(crate) fn known_queue(queue: &str) -> Result<Source, ConsumeError> {
    if topology::QUEUES.iter().any(|known| known.name == queue) {
        Ok(Source::Queue(queue.into()))
    } else {
        Err(ConsumeError::UnknownQueue(queue.to_owned()))
    }
}

async fn run<M: FromDelivery, H: Handler<M>>(
    config: &BrokerConfig,
    source: Source,
    options: ConsumerOptions,
    handler: H,
    shutdown: CancellationToken,
) -> Result<(), ConsumeError> {
    config.check()?;
    let queue = source.name();
    let worker = Arc::new(Worker {
        handler,
        acknowledger: Acknowledger::new(config, &queue, shutdown.clone()),
        config: config.clone(),
        queue,
        hooks: options.hooks.clone(),
        permits: Semaphore::new(usize::from(options.prefetch)),
        stop: shutdown.clone(),
        abort: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    let _abort_when_dropped = worker.abort.clone().drop_guard();
    let hooks = options.hooks.clone();
    let mut supervisor = Supervisor::new(config.clone(), source, options.prefetch, hooks, shutdown);
    while let Some(mut subscription) = supervisor.next().await {
        match worker.pump(&supervisor, &mut subscription, options.idle_after).await {
            None => {
                subscription.cancel(config).await;
                worker.drain(options.grace).await;
                subscription.close().await;
                break;
            }
            Some(loss) => supervisor.lost(subscription, loss),
        }
    }
    worker.drain(options.grace).await;
    supervisor.stop(options.grace).await;
    Ok(())
}

struct Worker<H> {
    handler: H,
    acknowledger: Acknowledger,
    config: BrokerConfig,
    queue: Arc<str>,
    hooks: Hooks,
    permits: Semaphore,
    stop: CancellationToken,
    abort: CancellationToken,
    tasks: TaskTracker,
}

/// The result of one handler call.
enum Verdict {
    Done(Option<Then>),
    Retry(String),
    Panicked(String),
    Reject(String),
}

impl<H> Worker<H> {
    /// Starts a task for each delivery until the subscription is lost; `None` at shutdown.
    async fn pump<M: FromDelivery>(
        self: &Arc<Self>,
        supervisor: &Supervisor,
        subscription: &mut Subscription,
        idle_after: Duration,
    ) -> Option<Loss>
    where
        H: Handler<M>,
    {
        loop {
            let next = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                next = subscription.next(idle_after) => next,
            };
            let activity = match (&next, self.tasks.is_empty()) {
                (Next::Idle, true) => Some(Activity::None),
                (Next::Idle, false) => Some(Activity::Handlers),
                _ => subscription.is_probe_due(idle_after).then_some(Activity::Deliveries),
            };
            match next {
                Next::Delivery(delivery) => {
                    let raw = RawDelivery::new(*delivery, self.queue.clone());
                    let worker = self.clone();
                    self.tasks.spawn(async move {
                        let processed = worker.abort.run_until_cancelled(worker.process::<M>(&raw)).await;
                        if matches!(processed, None | Some(Err(Requeued))) {
                            tracing::debug!(queue = %raw.queue, "a message is left to be delivered again");
                        }
                    });
                }
                Next::Idle => {}
                Next::Lost(loss) => return Some(loss),
            }
            if let Some(activity) = activity
                && let Some(loss) = supervisor.look(subscription, activity).await
            {
                return Some(loss);
            }
        }
    }

    /// Handles a delivery and acknowledges it.
    async fn process<M: FromDelivery>(&self, raw: &RawDelivery) -> Result<(), Requeued>
    where
        H: Handler<M>,
    {
        let permit = self.stop.run_until_cancelled(self.permits.acquire()).await;
        let Some(Ok(_permit)) = permit else { return Err(Requeued) };
        semconv::consumed(raw);
        let then = match M::from_delivery(raw, self.config.authentication()) {
            Ok(message) => self.handle_until_done(raw, message).await?,
            Err(error) => {
                let span = semconv::process_span(&self.config, raw);
                self.reject(raw, &error.to_string()).instrument(span).await?
            }
        };
        self.acknowledger.ack(raw, BasicAckOptions::default()).await;
        if let Some(Then(then)) = then {
            then();
        }
        Ok(())
    }

    /// Calls the handler until it has handled the message, or the message is rejected.
    async fn handle_until_done<M: FromDelivery>(
        &self,
        raw: &RawDelivery,
        message: M,
    ) -> Result<Option<Then>, Requeued>
    where
        H: Handler<M>,
    {
        let mut panics = 0;
        for attempt in 1.. {
            let (verdict, span) = self.call(raw, message.clone()).await;
            let cause = match verdict {
                Verdict::Done(then) => return Ok(then),
                Verdict::Reject(reason) => return self.reject(raw, &reason).instrument(span).await,
                Verdict::Retry(cause) => cause,
                Verdict::Panicked(text) => {
                    panics += 1;
                    if panics >= MAX_PANICS {
                        let reason = format!("handler panicked: {text}");
                        return self.reject(raw, &reason).instrument(span).await;
                    }
                    format!("handler panicked: {text}")
                }
            };
            semconv::count(semconv::RETRIES, &self.queue);
            span.in_scope(|| {
                tracing::warn!(
                    queue = %self.queue,
                    message.id = raw.message_id(),
                    message.attempt = i64::from(attempt),
                    error = cause,
                    "a message is kept and tried again"
                );
            });
            drop(span);
            self.acknowledger.pause(attempt, &raw.delivery.acker).await?;
        }
        Ok(None)
    }

    async fn reject(&self, raw: &RawDelivery, reason: &str) -> Result<Option<Then>, Requeued> {
        self.acknowledger.reject(raw, reason).await.map(|()| None)
    }

    /// Calls the handler, in a span of the delivery.
    async fn call<M: FromDelivery>(&self, raw: &RawDelivery, message: M) -> (Verdict, Span)
    where
        H: Handler<M>,
    {
        let span = semconv::process_span(&self.config, raw);
        if let (Some(link), Some(trace)) = (self.hooks.link_span, message.trace()) {
            link(&span, &[trace]);
        }
        let started = Instant::now();
        let call = AssertUnwindSafe(async { self.handler.handle(message).await }).catch_unwind();
        let (verdict, error) = match call.instrument(span.clone()).await {
            Ok(Outcome::Done) => (Verdict::Done(None), None),
            Ok(Outcome::DoneThen(then)) => (Verdict::Done(Some(then)), None),
            Ok(Outcome::Retry(cause)) => (Verdict::Retry(chain(&*cause)), Some("transient")),
            Ok(Outcome::Reject(reason)) => (Verdict::Reject(reason), Some("rejected")),
            Err(panic) => (Verdict::Panicked(panic_text(&*panic).to_owned()), Some("panic")),
        };
        if let Some(error) = error {
            semconv::mark_failed(&span, error);
        }
        semconv::processed(raw.destination(), &self.queue, started.elapsed(), error);
        (verdict, span)
    }

    /// Waits for the handlers at work, then aborts those that are left.
    async fn drain(&self, grace: Duration) {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            let left = self.tasks.len();
            tracing::warn!(queue = %self.queue, left, "{left} handlers did not finish within the grace period");
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}
