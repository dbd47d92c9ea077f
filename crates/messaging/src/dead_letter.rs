//! Dead letters: the headers that a rejected message gets, how they are read, and how it is published again.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::{
    envelope::{Envelope, EnvelopeError, FirstPublished, Headers, PERSISTENT},
    incoming::{DELIVERY_COUNT, FromDelivery, RawDelivery},
    signature::{Authentication, NotAuthentic, time_text},
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
    fn from_delivery(raw: &RawDelivery, _: &Authentication) -> Result<Self, EnvelopeError> {
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
    /// It did not come from a service of this installation.
    #[error("it is not authentic: {0}")]
    NotAuthentic(#[from] NotAuthentic),
}

/// A dead letter as it was stored.
#[derive(Clone, Copy, Debug)]
pub struct StoredLetter<'a> {
    /// All headers with a scalar value, as text.
    pub headers: &'a BTreeMap<String, String>,
    /// The queue whose consumer could not handle it.
    pub queue: Option<&'a str>,
    /// The routing key of the letter.
    pub routing_key: &'a str,
}

/// The message of a dead letter, addressed to its queue alone. Other queues that received the original message do not
/// receive it again. It keeps its signature.
///
/// # Errors
/// When publishing it again would not help.
pub fn replay(
    letter: StoredLetter<'_>,
    body: Bytes,
    authentication: &Authentication,
) -> Result<Envelope, NotReplayable> {
    let StoredLetter { headers, queue, routing_key } = letter;
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
    let headers = Headers(Some(&table));
    let envelope = Envelope::from_headers(&headers, body)?;
    // A letter that was replayed before died under the name of its queue.
    let routing_key = headers.first_routing_key().unwrap_or_else(|| routing_key.to_owned());
    let signature = headers.signature();
    envelope.verify(authentication, &routing_key, signature.as_deref())?;
    let correlation = envelope.subject.as_deref().and_then(|subject| subject.parse().ok());
    Ok(Envelope {
        correlation,
        exchange: DEFAULT.to_owned(),
        routing_key: queue.to_owned(),
        first_published: Some(FirstPublished { routing_key, signature }),
        ..envelope
    })
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
    put(TIME, &time_text(now));
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
    use crate::signature::SigningKey;

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

    fn authentication() -> Authentication {
        let authentication = Authentication::default();
        authentication.keyring.replace(vec![SigningKey::new("k1", &[1; 32])]);
        authentication
    }

    /// The headers with the signature of the message that they describe.
    fn signed(authentication: &Authentication) -> BTreeMap<String, String> {
        let mut table = FieldTable::default();
        for (name, value) in headers() {
            table.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let envelope = Envelope::from_headers(&Headers(Some(&table)), BODY).unwrap();
        let envelope = Envelope { routing_key: KEY.to_owned(), ..envelope };
        let signature = envelope.signature(&authentication.keyring).unwrap();
        headers().into_iter().chain([("x-modelday-signature".to_owned(), signature)]).collect()
    }

    const KEY: &str = "modelday.data.ready.v1";
    const BODY: Bytes = Bytes::from_static(b"{}");

    #[test]
    fn a_replay_is_the_original_message_to_the_one_queue_that_rejected_it() {
        let ours = authentication();
        let headers = signed(&ours);
        let letter = StoredLetter { headers: &headers, queue: Some("executor.plans.v1"), routing_key: KEY };

        let message = replay(letter, BODY, &ours).unwrap();

        assert_eq!((message.exchange.as_str(), message.routing_key.as_str()), ("", "executor.plans.v1"));
        assert_eq!((message.source.as_str(), message.sequence), ("/modelday/downloader", 17));
        assert_eq!(message.correlation.unwrap().to_string(), "019a36ef-cb80-7e7f-95d8-86581570dad2");
        let first = message.first_published.unwrap();
        assert_eq!(first.routing_key, KEY);
        assert_eq!(first.signature.as_ref(), headers.get("x-modelday-signature"));
    }

    #[test]
    fn a_letter_that_was_replayed_before_is_replayed_again() {
        let ours = authentication();
        let mut headers = signed(&ours);
        headers.insert("x-modelday-routing-key".to_owned(), KEY.to_owned());
        let queue = "executor.plans.v1";
        let letter = StoredLetter { headers: &headers, queue: Some(queue), routing_key: queue };

        assert_eq!(replay(letter, BODY, &ours).unwrap().first_published.unwrap().routing_key, KEY);
    }

    #[test]
    fn a_message_that_its_consumer_would_reject_again_is_not_replayed() {
        let ours = authentication();
        let refused = |headers: &BTreeMap<String, String>, queue: Option<&str>, body: Bytes| {
            replay(StoredLetter { headers, queue, routing_key: KEY }, body, &ours).unwrap_err().to_string()
        };
        let mut bare = headers();
        bare.remove("cloudEvents_id");
        let plans = Some("executor.plans.v1");

        assert_eq!(refused(&headers(), None, BODY), "it does not say which queue it died in");
        assert_eq!(refused(&headers(), Some("ext.acme"), BODY), "\"ext.acme\" is no queue of this version");
        assert_eq!(
            refused(&headers(), Some("status.dead-letters.v1"), BODY),
            "\"status.dead-letters.v1\" is no queue of this version"
        );
        assert_eq!(
            refused(&bare, plans, BODY),
            "its envelope cannot be read: header cloudEvents_id is missing"
        );
        assert_eq!(refused(&headers(), plans, BODY), "it is not authentic: it is not signed");
        assert_eq!(
            refused(&signed(&ours), plans, Bytes::from_static(b"{\"forged\":1}")),
            "it is not authentic: its signature does not fit its content"
        );
    }
}
