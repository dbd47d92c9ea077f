//! The outbox relay: sends what was committed, in order, until the broker has confirmed it.
//!
//! One relay of a schema works at a time, by an advisory lock. A message is marked sent only when the
//! broker has it in every queue bound for it; anything else is sent again.

use std::sync::Arc;
use std::time::Duration;

use messaging::{BrokerConfig, Envelope, Publisher};
use storage::PgPool;
use storage::outbox::{self, Stored};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::process::told;
use crate::telemetry;

/// Most messages in one transaction.
const BATCH: usize = 500;
/// How long a relay sleeps when nobody wakes it: the other replicas' commits are found then.
const POLL: Duration = Duration::from_millis(500);
/// Longest wait between attempts while the broker is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a relay that is stopped may take to send what was committed before.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Tells the relay that something was committed.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Call right after a commit that wrote an outbox row.
    pub fn wake(&self) {
        self.0.notify_one();
    }
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
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let service = self.service;
        tokio::select! {
            () = self.relay(&stop) => {}
            () = too_late => {
                tracing::warn!(service, "stopped with messages in the outbox; they are sent after the next start");
            }
        }
    }

    async fn relay(&self, stop: &CancellationToken) {
        let publisher = Publisher::new(self.broker.clone(), "relay").with_link_span(telemetry::link_span);
        let mut housekeeping = tokio::time::interval(Duration::from_secs(10));
        let mut pause = Duration::ZERO;
        loop {
            // What was committed before it is in the outbox now.
            let is_last = stop.is_cancelled();
            match self.drain(&publisher).await {
                Ok(()) if is_last => return,
                Ok(()) => pause = Duration::ZERO,
                Err(problem) => {
                    if pause.is_zero() {
                        tracing::warn!(
                            service = self.service,
                            "messages wait in the outbox: {}",
                            told(&problem)
                        );
                    }
                    pause = (pause * 2).clamp(Duration::from_millis(100), LONGEST_PAUSE);
                }
            }
            let away = !pause.is_zero();
            tokio::select! {
                () = stop.cancelled(), if !is_last => {}
                () = self.wake.0.notified(), if !away => {}
                () = tokio::time::sleep(if away { pause } else { POLL }) => {}
                _ = housekeeping.tick() => keep_house(&self.pool, self.service).await,
            }
        }
    }

    async fn drain(&self, publisher: &Publisher) -> anyhow::Result<()> {
        // A transaction must not wait for the broker to come back.
        publisher.connect().await?;
        while let Some(unsent) = outbox::take_unsent(&self.pool, BATCH).await? {
            let envelopes: Vec<Envelope> =
                unsent.messages.iter().map(|message| envelope(message, self.service)).collect();
            let published = publisher.publish_in_order(&envelopes).await;
            let sent: Vec<i64> = unsent
                .messages
                .iter()
                .zip(&published.confirmed)
                .filter_map(|(message, confirmed)| confirmed.then_some(message.id))
                .collect();
            unsent.mark_sent(&sent).await?;
            if let Some(failure) = published.failure {
                return Err(failure.into());
            }
            if envelopes.len() < BATCH && !outbox::is_waiting(&self.pool).await? {
                break;
            }
        }
        Ok(())
    }
}

/// The message of an outbox row.
pub fn envelope(message: &Stored, service: &str) -> Envelope {
    Envelope {
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
