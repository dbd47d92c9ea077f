//! Dead letters: the headers that a rejected message gets, how they are read, and how it is published again.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::{
    envelope::{Envelope, EnvelopeError, Headers, PERSISTENT},
    incoming::{DELIVERY_COUNT, FromDelivery, RawDelivery},
    topology::{DEFAULT, OnDeath, QUEUES},
    trace_context::TraceContext,
};

const REASON: &str = "x-modelday-reason";
const QUEUE: &str = "x-modelday-queue";
const EXCHANGE: &str = "x-modelday-exchange";
const TIME: &str = "x-modelday-time";
const MAX_REASON_BYTES: usize = 2000;

/// A message that was given up, by one of our consumers or by the broker at its delivery limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why it was given up.
    pub reason: String,
    /// The queue whose consumer could not handle it.
    pub queue: Option<String>,
    /// When one of our consumers rejected it; unknown when the broker gave it up.
    pub time: Option<DateTime<Utc>>,
    /// The exchange it was first published to.
    pub exchange: Option<String>,
    /// Its original routing key.
    pub routing_key: String,
    /// The AMQP property, as the publisher set it.
    pub message_id: Option<String>,
    /// All headers with a scalar value, as text.
    pub headers: BTreeMap<String, String>,
    /// The content, unchanged.
    pub body: Bytes,
    /// The message as it was first published, when its headers are a valid envelope.
    pub envelope: Option<Envelope>,
}

impl FromDelivery for DeadLetter {
    fn from_delivery(raw: &RawDelivery) -> Result<Self, EnvelopeError> {
        let headers = raw.headers();
        let either = |ours: &str, brokers: &str| headers.optional(ours).or_else(|| headers.optional(brokers));
        let exchange = either(EXCHANGE, "x-first-death-exchange");
        let envelope = Envelope::parse(&raw.delivery, raw.body.clone())
            .ok()
            .map(|envelope| Envelope { exchange: exchange.clone().unwrap_or(envelope.exchange), ..envelope });
        let time = headers.optional(TIME).and_then(|time| DateTime::parse_from_rfc3339(&time).ok());
        Ok(Self {
            reason: either(REASON, "x-first-death-reason").unwrap_or_else(|| "not stated".to_owned()),
            queue: either(QUEUE, "x-first-death-queue"),
            time: time.map(|time| time.with_timezone(&Utc)),
            exchange,
            routing_key: raw.delivery.routing_key.to_string(),
            message_id: raw.delivery.properties.message_id().as_ref().map(ToString::to_string),
            headers: headers.scalars().collect(),
            body: raw.body.clone(),
            envelope,
        })
    }

    fn trace(&self) -> Option<TraceContext<'_>> {
        self.envelope.as_ref().and_then(Envelope::trace)
    }
}

/// Why a dead letter cannot be published again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReplayable {
    /// The queue it was consumed from is unknown.
    #[error("it does not say which queue it died in")]
    NoQueue,
    /// That queue is not part of the topology.
    #[error("{0:?} is no queue of this version")]
    UnknownQueue(String),
    /// Its consumer would reject it again.
    #[error("its envelope cannot be read: {0}")]
    NoEnvelope(#[from] EnvelopeError),
}

/// The message of a dead letter with these `headers`, addressed to `queue` alone. Other queues that received the
/// original message do not receive it again.
///
/// # Errors
/// When publishing it again would not help.
pub fn replay(
    headers: &BTreeMap<String, String>,
    queue: Option<&str>,
    body: Bytes,
) -> Result<Envelope, NotReplayable> {
    let queue = queue.ok_or(NotReplayable::NoQueue)?;
    let is_ours = QUEUES.iter().any(|ours| ours.name == queue && ours.on_death == OnDeath::ToDeadLetters);
    if !is_ours {
        return Err(NotReplayable::UnknownQueue(queue.to_owned()));
    }
    let mut table = FieldTable::default();
    for (name, value) in headers {
        // A name longer than AMQP allows is no header of an envelope.
        let Ok(name) = ShortString::try_new(name.as_str()) else { continue };
        table.insert(name, AMQPValue::LongString(value.as_str().into()));
    }
    let envelope = Envelope::from_headers(&Headers(Some(&table)), body)?;
    let correlation = envelope.subject.as_deref().and_then(|subject| subject.parse().ok());
    Ok(Envelope { correlation, exchange: DEFAULT.to_owned(), routing_key: queue.to_owned(), ..envelope })
}

/// Properties of the copy of `raw` that goes to the dead letters.
pub(crate) fn labelled(raw: &RawDelivery, reason: &str, now: DateTime<Utc>) -> BasicProperties {
    let properties = raw.delivery.properties.clone();
    let mut headers = properties.headers().clone().unwrap_or_default().inner().clone();
    headers.remove(DELIVERY_COUNT);
    let mut put = |name: &'static str, value: &str| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    put(REASON, shortened(reason));
    put(QUEUE, &raw.queue);
    put(EXCHANGE, raw.delivery.exchange.as_str());
    put(TIME, &now.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    properties.with_headers(headers.into()).with_delivery_mode(PERSISTENT)
}

/// Headers must fit one frame, so a long reason is cut, between characters.
fn shortened(reason: &str) -> &str {
    let end = reason.floor_char_boundary(MAX_REASON_BYTES);
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> BTreeMap<String, String> {
        let texts = [
            ("cloudEvents_specversion", "1.0"),
            ("cloudEvents_id", "019a36ef-cb80-7e7f-95d8-86581570dad1"),
            ("cloudEvents_source", "/modelday/downloader"),
            ("cloudEvents_type", "modelday.data.ready.v1"),
            ("cloudEvents_subject", "019a36ef-cb80-7e7f-95d8-86581570dad2"),
            ("cloudEvents_time", "2025-10-30T21:04:36.224345Z"),
            ("cloudEvents_sequence", "17"),
            ("cloudEvents_dataschema", "urn:modelday:v1:modelday.data.ready.v1"),
            ("x-modelday-reason", "boom"),
        ];
        texts.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_replay_is_the_original_message_to_the_one_queue_that_rejected_it() {
        let message = replay(&headers(), Some("executor.plans.v1"), Bytes::from_static(b"{}")).unwrap();

        assert_eq!((message.exchange.as_str(), message.routing_key.as_str()), ("", "executor.plans.v1"));
        assert_eq!((message.source.as_str(), message.sequence), ("/modelday/downloader", 17));
        assert_eq!(message.correlation.unwrap().to_string(), "019a36ef-cb80-7e7f-95d8-86581570dad2");
    }

    #[test]
    fn a_message_that_no_consumer_could_read_is_not_replayed() {
        let refused = |headers: &BTreeMap<String, String>, queue: Option<&str>| {
            replay(headers, queue, Bytes::new()).unwrap_err().to_string()
        };
        let mut bare = headers();
        bare.remove("cloudEvents_id");

        assert_eq!(refused(&headers(), None), "it does not say which queue it died in");
        assert_eq!(refused(&headers(), Some("ext.acme")), "\"ext.acme\" is no queue of this version");
        assert_eq!(
            refused(&headers(), Some("status.dead-letters.v1")),
            "\"status.dead-letters.v1\" is no queue of this version"
        );
        assert_eq!(
            refused(&bare, Some("executor.plans.v1")),
            "its envelope cannot be read: header cloudEvents_id is missing"
        );
    }
}
