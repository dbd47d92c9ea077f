//! Messages nobody could handle: how they are labelled when they are put away, and read again.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use lapin::{BasicProperties, types::AMQPValue};

use crate::{
    envelope::{Envelope, EnvelopeError, PERSISTENT},
    incoming::{DELIVERY_COUNT, FromDelivery, RawDelivery},
    semconv::TraceContext,
};

const REASON: &str = "x-modelday-reason";
const QUEUE: &str = "x-modelday-queue";
const EXCHANGE: &str = "x-modelday-exchange";
const TIME: &str = "x-modelday-time";
const MAX_REASON_BYTES: usize = 2000;

/// A dead letter, whoever put it away: one of our consumers, or the broker at its delivery limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why it was given up.
    pub reason: String,
    /// The queue whose consumer could not handle it.
    pub queue: Option<String>,
    /// When one of our consumers put it away; the broker does not say.
    pub time: Option<DateTime<Utc>>,
    /// Where it was published first, and where a replay goes.
    pub exchange: Option<String>,
    /// Its original routing key.
    pub routing_key: String,
    /// As the sender set it.
    pub message_id: Option<String>,
    /// All headers with a scalar value, as text.
    pub headers: BTreeMap<String, String>,
    /// As it arrived.
    pub body: Bytes,
    /// The message as it was published first, when its headers can be read.
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
