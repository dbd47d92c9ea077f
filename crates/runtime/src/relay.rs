//! The outbox relay: sends committed messages in order, until the broker has confirmed them.
//!
//! Commands and events are relayed separately: a lane waits for its command, which a burst of events must not delay. Per
//! schema an advisory lock lets one relay of each kind work at a time. A message is marked sent only when the broker has
//! confirmed it in every queue bound for it; otherwise it is sent again, so consumers must expect duplicates.

mod handover;
mod publication;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use contract::schema::SchemaLocation;
use messaging::topology::COMMANDS;
use messaging::{BrokerConfig, Publisher};
use storage::outbox::{self, Backlog, Part, RelayConnection};
use storage::{Owner, PgPool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error_text::error_text;
use crate::parts::Parts;
use crate::retention::{PrunedTable, Retention};
use crate::shutdown::task;
use crate::telemetry;
use handover::Handover;
use publication::publish;

pub use publication::envelope;
pub use wake::Wake;

/// Most messages in one transaction.
const MAX_BATCH: usize = 500;
/// How long a relay sleeps when it is not notified. Commits of other replicas are found then.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Wait while another process relays the messages that are waiting.
const LOCKED_DELAY: Duration = Duration::from_millis(5);
/// Least time between two batches of events, unless one is urgent: events committed meanwhile are sent together, which
/// costs less. The first event after a quiet time is sent at once.
const EVENTS_INTERVAL: Duration = Duration::from_millis(50);
/// Waits between attempts while the broker is unreachable.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);
/// How often a warning about messages that cannot be sent is repeated.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);
/// How long a stopped relay may take to send what was committed before.
const STOP_GRACE: Duration = Duration::from_secs(3);
const MEASURING_INTERVAL: Duration = Duration::from_secs(10);
/// A message that waits for so long shows that the outbox does not leave.
const MAX_AGE_SECONDS: i64 = 10;
/// How often a relay shows that it goes on; a round waits a few seconds for the broker when that is away.
const RHYTHM: Duration = Duration::from_secs(10);

/// The result of one round over the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// No message was waiting.
    Empty,
    /// Another relay has locked the waiting messages.
    Locked,
    /// All waiting messages were sent.
    SentAll,
    /// A full batch was sent; more messages may be waiting.
    SentBatch,
}

/// The relay of one service's outbox.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Connections of the service, whose schema has the outbox.
    pub pool: PgPool,
    /// The broker to send to.
    pub broker: BrokerConfig,
    /// The service.
    pub owner: Owner,
    /// Where the schemas of the messages are.
    pub schemas: SchemaLocation,
    /// Notified by the service's commits.
    pub wake: Wake,
    /// Where the relay shows that it goes on.
    pub parts: Parts,
    /// How long sent messages stay in the outbox.
    pub retention: Retention,
}

impl Relay {
    /// Relays until `stop`, then sends what was committed before, for at most three seconds.
    pub async fn run(self, stop: CancellationToken) {
        let stopped = stop.clone();
        let too_late = async move {
            stopped.cancelled().await;
            tokio::time::sleep(STOP_GRACE).await;
        };
        let service = self.owner.as_str();
        let relays = Box::pin(async {
            let commands = Arc::new(self.publisher("relay commands"));
            let events = Arc::new(self.publisher("relay"));
            let handover = Handover {
                pool: self.pool.clone(),
                service,
                schemas: self.schemas.clone(),
                wake: self.wake.clone(),
                publisher: commands.clone(),
                part: self.parts.add(format!("{service}: commands handed over"), RHYTHM),
            };
            let relay = Arc::new(self);
            tokio::join!(
                task(relay.clone().relay(Part::To(COMMANDS), commands, stop.clone())),
                task(relay.clone().relay(Part::Except(COMMANDS), events, stop.clone())),
                task(handover.run(stop.clone())),
                task(relay.clone().prune(stop.clone())),
                task(relay.measure(stop.clone())),
            );
        });
        tokio::select! {
            () = relays => {}
            () = too_late => {
                tracing::warn!(service, "stopped with messages in the outbox; they are sent after the next start");
            }
        }
    }

    fn publisher(&self, role: &str) -> Publisher {
        let broker = self.broker.clone().with_small_frames();
        Publisher::new(broker, role).with_tracing(telemetry::link_span, telemetry::traceparent_of)
    }

    async fn relay(self: Arc<Self>, part: Part, publisher: Arc<Publisher>, stop: CancellationToken) {
        let committed = match part {
            Part::To(_) => self.wake.commands(),
            Part::Except(_) => self.wake.events(),
        };
        let service = self.owner.as_str();
        let shown = match part {
            Part::To(_) => self.parts.add(format!("{service}: relay of commands"), RHYTHM),
            Part::Except(_) => self.parts.add(format!("{service}: relay of events"), RHYTHM),
        };
        let mut connection = None;
        let mut delay = Duration::ZERO;
        let mut said = None;
        loop {
            shown.round();
            // Read before the round, so that the last round sees everything committed before the stop.
            let is_last = stop.is_cancelled();
            let began = Instant::now();
            let round = self.round(part, &publisher, &mut connection).await;
            if round.is_ok() {
                shown.goes_on();
                delay = Duration::ZERO;
                said = None;
            }
            match round {
                Ok(Round::Empty) if is_last => return,
                Ok(Round::SentAll) if is_last => continue,
                Ok(Round::SentBatch) => continue,
                Ok(Round::Empty) => {}
                Ok(Round::Locked) => {
                    tokio::time::sleep(LOCKED_DELAY).await;
                    continue;
                }
                Ok(Round::SentAll) => {
                    if let Part::Except(_) = part {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = self.wake.urgent().notified() => {}
                            () = tokio::time::sleep_until(began + EVENTS_INTERVAL) => {}
                        }
                    }
                }
                Err(problem) => {
                    connection = None;
                    let problem = error_text(&problem);
                    if said.is_none_or(|said: Instant| said.elapsed() >= WARNING_INTERVAL) {
                        tracing::warn!(service, "messages wait in the outbox: {problem}");
                        said = Some(Instant::now());
                    }
                    shown.hindered(problem);
                    delay = (delay * 2).clamp(MIN_RETRY_DELAY, MAX_RETRY_DELAY);
                }
            }
            let is_failing = !delay.is_zero();
            tokio::select! {
                () = stop.cancelled(), if !is_last => {}
                () = committed.notified(), if !is_failing => {}
                () = tokio::time::sleep(if is_failing { delay } else { POLL_INTERVAL }) => {}
            }
        }
    }

    /// Sends the waiting messages, up to a batch.
    async fn round(
        &self,
        part: Part,
        publisher: &Publisher,
        connection: &mut Option<RelayConnection>,
    ) -> anyhow::Result<Round> {
        let is_connected = publisher.is_connected();
        // Most services send no commands, and then need no connection to the broker for them. The connection for events
        // is opened at once, since it shows whether the broker can be used.
        if !is_connected && let Part::Except(_) = part {
            // Postgres closes a session that is idle for too long, and connecting may take longer.
            *connection = None;
            publisher.connect().await?;
        }
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(RelayConnection::open(&self.pool, part).await?),
        };
        if !is_connected && let Part::To(_) = part {
            if !connection.is_waiting().await? {
                return Ok(Round::Empty);
            }
            publisher.connect().await?;
        }
        let messages = connection.take(MAX_BATCH).await?;
        if messages.is_empty() {
            return Ok(if connection.is_waiting().await? { Round::Locked } else { Round::Empty });
        }
        let (confirmed, failure) = publish(publisher, self.owner.as_str(), &self.schemas, &messages).await;
        connection.mark_sent(&confirmed).await?;
        match failure {
            Some(failure) => Err(failure.into()),
            None if messages.len() < MAX_BATCH => Ok(Round::SentAll),
            None => Ok(Round::SentBatch),
        }
    }

    /// Removes old messages, again and again until `stop`.
    async fn prune(self: Arc<Self>, stop: CancellationToken) {
        let pool = self.pool.for_long_statements();
        let delete = |keep| {
            let pool = pool.clone();
            async move { outbox::prune(&pool, keep).await }
        };
        PrunedTable::outbox(self.owner).keep_pruning(self.retention, stop, delete).await;
    }

    /// Reports the outbox's backlog, again and again until `stop`.
    async fn measure(self: Arc<Self>, stop: CancellationToken) {
        let (pool, service) = (&self.pool, self.owner.as_str());
        let shown = self.parts.add(format!("{service}: outbox"), MEASURING_INTERVAL + RHYTHM);
        let mut rounds = tokio::time::interval(MEASURING_INTERVAL);
        while stop.run_until_cancelled(rounds.tick()).await.is_some() {
            shown.round();
            match outbox::backlog(pool).await {
                Ok(Backlog { depth, age_seconds: age }) => {
                    match age {
                        0..MAX_AGE_SECONDS => shown.goes_on(),
                        _ => shown.hindered(format!("{depth} messages wait, the oldest for {age} s")),
                    }
                    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
                    {
                        metrics::gauge!("modelday_outbox_depth", "service" => service).set(depth as f64);
                        metrics::gauge!("modelday_outbox_age_seconds", "service" => service).set(age as f64);
                    }
                }
                Err(problem) => tracing::debug!(service, "outbox backlog unknown: {problem}"),
            }
        }
    }
}
