//! The outbox relay: sends what was committed, in order, until the broker has confirmed it.
//!
//! Commands and events are relayed apart: somebody waits for a command, and a burst of events must not be in
//! its way. One relay of each works at a time per schema, by an advisory lock. A message is marked sent only
//! when the broker has it in every queue bound for it; anything else is sent again.

mod handed;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use messaging::topology::COMMANDS;
use messaging::{BrokerConfig, Envelope, PublishError, Publisher};
use storage::PgPool;
use storage::outbox::{self, Part, RelayConnection, StoredMessage};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::process::told;
use crate::shutdown::task;
use crate::telemetry;

pub use wake::Wake;

/// Most messages in one transaction.
const BATCH: usize = 500;
/// How long a relay sleeps when nobody wakes it: the other replicas' commits are found then.
const POLL: Duration = Duration::from_millis(500);
/// How long the other relay of a part has for what we saw waiting.
const PATIENCE: Duration = Duration::from_millis(5);
/// From one batch of events to the next, unless somebody waits: what is committed meanwhile goes together, which costs
/// less. The first event after a silence does not wait.
const PACE: Duration = Duration::from_millis(50);
/// Longest wait between attempts while the broker is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a relay that is stopped may take to send what was committed before.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What a look into the outbox came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// Nothing was there.
    Nothing,
    /// Another relay is at it.
    NotOurs,
    /// All that was there.
    All,
    /// As much as goes at once.
    Batch,
}

/// The relay of one service's outbox.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Connections of the service.
    pub pool: PgPool,
    /// Where its messages go.
    pub broker: BrokerConfig,
    /// Its name.
    pub service: &'static str,
    /// What its commits wake.
    pub wake: Wake,
}

impl Relay {
    /// Relays until `stop`, then sends what is committed by then, for at most three seconds.
    pub async fn run(self, stop: CancellationToken) {
        let stopped = stop.clone();
        let too_late = async move {
            stopped.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let service = self.service;
        let relays = async {
            let commands = Arc::new(self.publisher("relay commands"));
            let events = Arc::new(self.publisher("relay"));
            let relay = Arc::new(self);
            tokio::join!(
                task(relay.clone().relay(Part::To(COMMANDS), commands.clone(), stop.clone())),
                task(relay.clone().relay(Part::Beside(COMMANDS), events, stop.clone())),
                task(relay.clone().send_handed(commands, stop.clone())),
                task(relay.keep_house(stop.clone())),
            );
        };
        tokio::select! {
            () = relays => {}
            () = too_late => {
                tracing::warn!(service, "stopped with messages in the outbox; they are sent after the next start");
            }
        }
    }

    fn publisher(&self, role: &str) -> Publisher {
        let broker = self.broker.clone().with_small_frames();
        Publisher::new(broker, role).with_link_span(telemetry::link_span)
    }

    async fn relay(self: Arc<Self>, part: Part, publisher: Arc<Publisher>, stop: CancellationToken) {
        let wake = match part {
            Part::To(_) => self.wake.commands(),
            Part::Beside(_) => self.wake.events(),
        };
        let mut line = None;
        let mut pause = Duration::ZERO;
        loop {
            // What was committed before it is in the outbox now.
            let is_last = stop.is_cancelled();
            let began = Instant::now();
            let sent = self.send(part, &publisher, &mut line).await;
            if sent.is_ok() {
                pause = Duration::ZERO;
            }
            match sent {
                Ok(Sent::Nothing) if is_last => return,
                Ok(Sent::All) if is_last => continue,
                Ok(Sent::Batch) => continue,
                Ok(Sent::Nothing) => {}
                Ok(Sent::NotOurs) => {
                    tokio::time::sleep(PATIENCE).await;
                    continue;
                }
                Ok(Sent::All) => {
                    if let Part::Beside(_) = part {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = self.wake.hurry().notified() => {}
                            () = tokio::time::sleep_until(began + PACE) => {}
                        }
                    }
                }
                Err(problem) => {
                    line = None;
                    if pause.is_zero() {
                        let problem = told(&problem);
                        tracing::warn!(service = self.service, "messages wait in the outbox: {problem}");
                    }
                    pause = (pause * 2).clamp(Duration::from_millis(100), LONGEST_PAUSE);
                }
            }
            let away = !pause.is_zero();
            tokio::select! {
                () = stop.cancelled(), if !is_last => {}
                () = wake.notified(), if !away => {}
                () = tokio::time::sleep(if away { pause } else { POLL }) => {}
            }
        }
    }

    /// Sends what there is, up to a batch.
    async fn send(
        &self,
        part: Part,
        publisher: &Publisher,
        line: &mut Option<RelayConnection>,
    ) -> anyhow::Result<Sent> {
        let is_connected = publisher.is_connected();
        // Most services have no commands to send, and need no connection to the broker for them. That of events is
        // opened at once, since it shows whether the broker can be used.
        if !is_connected && let Part::Beside(_) = part {
            // Postgres would not wait for the broker to come back.
            *line = None;
            publisher.connect().await?;
        }
        let line = match line {
            Some(line) => line,
            None => line.insert(RelayConnection::open(&self.pool, part).await?),
        };
        if !is_connected && let Part::To(_) = part {
            if !line.is_waiting().await? {
                return Ok(Sent::Nothing);
            }
            publisher.connect().await?;
        }
        let messages = line.take(BATCH).await?;
        if messages.is_empty() {
            return Ok(if line.is_waiting().await? { Sent::NotOurs } else { Sent::Nothing });
        }
        let (confirmed, failure) = self.publish(publisher, &messages).await;
        line.mark_sent(&confirmed).await?;
        match failure {
            Some(failure) => Err(failure.into()),
            None if messages.len() < BATCH => Ok(Sent::All),
            None => Ok(Sent::Batch),
        }
    }

    /// Publishes messages in their order; answers the ids of those that the broker has, and why it has not all.
    async fn publish(
        &self,
        publisher: &Publisher,
        messages: &[StoredMessage],
    ) -> (Vec<i64>, Option<PublishError>) {
        let envelopes: Vec<Envelope> =
            messages.iter().map(|message| envelope(message, self.service)).collect();
        let published = publisher.publish_in_order(&envelopes).await;
        let confirmed = messages
            .iter()
            .zip(&published.confirmed)
            .filter_map(|(message, confirmed)| confirmed.then_some(message.id))
            .collect();
        (confirmed, published.failure)
    }

    async fn keep_house(self: Arc<Self>, stop: CancellationToken) {
        let mut housekeeping = tokio::time::interval(Duration::from_secs(10));
        while stop.run_until_cancelled(housekeeping.tick()).await.is_some() {
            keep_house(&self.pool, self.service).await;
        }
    }
}

/// The message of an outbox row. One that was published before says again what it said then.
pub fn envelope(message: &StoredMessage, service: &str) -> Envelope {
    let own = Envelope {
        id: message.event_id,
        source: format!("/modelday/{service}"),
        kind: message.kind.clone(),
        subject: Some(message.job_id.to_string()),
        time: message.created_at,
        sequence: message.id,
        correlation: Some(message.job_id),
        dataschema: contract::kind::schema_id(&message.kind),
        traceparent: message.traceparent.clone(),
        tracestate: None,
        exchange: message.exchange.clone(),
        routing_key: message.routing_key.clone(),
        app_id: format!("modelday-{service}"),
        body: message.body.clone().into_bytes().into(),
    };
    let Some(original) = message.original.clone() else { return own };
    Envelope {
        source: original.source,
        subject: original.subject,
        time: original.time,
        sequence: original.sequence,
        correlation: original.job,
        dataschema: original.dataschema,
        tracestate: original.tracestate,
        ..own
    }
}

async fn keep_house(pool: &PgPool, service: &'static str) {
    match outbox::backlog(pool).await {
        Ok((depth, oldest)) => {
            let age = oldest.map_or(0, |oldest| (chrono::Utc::now() - oldest).num_seconds().max(0));
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            {
                metrics::gauge!("modelday_outbox_depth", "service" => service).set(depth as f64);
                metrics::gauge!("modelday_outbox_age_seconds", "service" => service).set(age as f64);
            }
        }
        Err(problem) => tracing::debug!(service, "outbox backlog unknown: {problem}"),
    }
    if let Err(problem) = outbox::prune(pool).await {
        tracing::warn!(service, "old messages could not be pruned: {problem}");
    }
}
