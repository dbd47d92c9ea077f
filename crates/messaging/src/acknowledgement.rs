//! What a consumer does with a delivery: ack it, reject it to the dead letters, or leave it to be requeued.

use std::time::Duration;

use chrono::Utc;
use lapin::{Acker, options::BasicAckOptions};
use tokio_util::sync::CancellationToken;

use crate::{
    connection::{BrokerConfig, backoff_jittered},
    dead_letter::labelled,
    incoming::RawDelivery,
    outgoing::Outgoing,
    publisher::Publisher,
    semconv, topology,
};

/// Handler calls that may panic over one message before the message is rejected.
pub(crate) const MAX_PANICS: u32 = 5;

/// A message is left unacknowledged on purpose: its channel is closed or the process is stopping. In both cases the
/// broker requeues it and delivers it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requeued;

/// Acknowledges and rejects deliveries. Dead letters have a connection of their own, opened with the first of them: the
/// broker may block connections that publish, and acknowledgements must still go through then.
pub(crate) struct Acknowledger {
    dead_letters: Publisher,
    stop: CancellationToken,
}

impl Acknowledger {
    pub(crate) fn new(config: &BrokerConfig, queue: &str, stop: CancellationToken) -> Self {
        Self { dead_letters: Publisher::new(config.clone(), &format!("dead letters of {queue}")), stop }
    }

    /// Acknowledges a delivery, and with `multiple` those before it on its channel too.
    pub(crate) async fn ack(&self, raw: &RawDelivery, options: BasicAckOptions) {
        match raw.delivery.acker.ack(options).await {
            Ok(true) => {}
            Ok(false) => tracing::debug!(queue = %raw.queue, "the channel of a handled message is gone"),
            Err(error) => {
                tracing::debug!(queue = %raw.queue, error = %error, "a message could not be acknowledged");
            }
        }
    }

    /// Waits before attempt `attempt + 1`, without giving the message back.
    pub(crate) async fn pause(&self, attempt: u32, acker: &Acker) -> Result<(), Requeued> {
        self.sleep(backoff_jittered(attempt)).await?;
        if acker.usable() { Ok(()) } else { Err(Requeued) }
    }

    async fn sleep(&self, wait: Duration) -> Result<(), Requeued> {
        self.stop.run_until_cancelled(tokio::time::sleep(wait)).await.ok_or(Requeued)
    }

    /// Publishes a copy of the message to the dead letters and returns when the broker has confirmed it. The caller
    /// acknowledges the message itself afterwards.
    pub(crate) async fn reject(&self, raw: &RawDelivery, reason: &str) -> Result<(), Requeued> {
        tracing::error!(
            queue = %raw.queue,
            message.id = raw.message_id(),
            job.id = raw.conversation_id(),
            reason,
            "a message goes to the dead letters"
        );
        for attempt in 1.. {
            let copy = Outgoing {
                exchange: topology::DEAD,
                routing_key: raw.delivery.routing_key.as_str(),
                properties: labelled(raw, reason, Utc::now()),
                body: &raw.body,
                trace: None,
            };
            let Some(error) = self.dead_letters.publish(&[copy]).await.failure else { break };
            tracing::warn!(queue = %raw.queue, error = %error, "a dead letter is kept in hand for now");
            self.pause(attempt, &raw.delivery.acker).await?;
        }
        semconv::count(semconv::DEAD_LETTERS, &raw.queue);
        Ok(())
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
