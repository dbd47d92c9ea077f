//! A delivery as a handler sees it.

use std::sync::Arc;

use bytes::Bytes;
use lapin::message::Delivery;

use crate::{
    envelope::{Envelope, EnvelopeError, Headers},
    trace_context::TraceContext,
};

/// Set by quorum queues on each delivery after the first.
pub(crate) const DELIVERY_COUNT: &str = "x-delivery-count";

/// A message handed to a handler. It stays the consumer's until the handler's outcome settles it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The message.
    pub envelope: Envelope,
    /// The queue it came from.
    pub queue: Arc<str>,
    /// False proves that nobody was given it before; true proves nothing.
    pub redelivered: bool,
    /// How often the broker took it back from a consumer.
    pub delivery_count: u64,
}

/// A delivery before its headers were read.
#[derive(Debug)]
pub struct RawDelivery {
    pub(crate) delivery: Delivery,
    pub(crate) body: Bytes,
    pub(crate) queue: Arc<str>,
}

/// What a [`crate::Handler`] can be given: [`Incoming`], or [`crate::DeadLetter`], which takes anything.
pub trait FromDelivery: Clone + Send + Sync + 'static {
    /// Reads a delivery.
    ///
    /// # Errors
    /// The headers are not those of a message of ours; such a message is dead-lettered.
    fn from_delivery(raw: &RawDelivery) -> Result<Self, EnvelopeError>;

    /// The context in which the message was created, if it carries one.
    fn trace(&self) -> Option<TraceContext<'_>>;
}

impl Incoming {
    /// W3C trace context of the message's creation.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.envelope.traceparent.as_deref()
    }
}

impl FromDelivery for Incoming {
    fn from_delivery(raw: &RawDelivery) -> Result<Self, EnvelopeError> {
        Ok(Self {
            envelope: Envelope::parse(&raw.delivery, raw.body.clone())?,
            queue: raw.queue.clone(),
            redelivered: raw.delivery.redelivered,
            delivery_count: raw.delivery_count(),
        })
    }

    fn trace(&self) -> Option<TraceContext<'_>> {
        self.envelope.trace()
    }
}

impl RawDelivery {
    pub(crate) fn new(mut delivery: Delivery, queue: Arc<str>) -> Self {
        let body = std::mem::take(&mut delivery.data).into();
        Self { delivery, body, queue }
    }

    pub(crate) fn headers(&self) -> Headers<'_> {
        Headers(self.delivery.properties.headers().as_ref())
    }

    /// `<exchange>:<routing key>`, as the conventions name a destination.
    pub(crate) fn destination(&self) -> String {
        format!("{}:{}", self.delivery.exchange, self.delivery.routing_key)
    }

    pub(crate) fn message_id(&self) -> &str {
        self.delivery.properties.message_id().as_ref().map(|id| id.as_str()).unwrap_or_default()
    }

    pub(crate) fn conversation_id(&self) -> &str {
        self.delivery.properties.correlation_id().as_ref().map(|id| id.as_str()).unwrap_or_default()
    }

    fn delivery_count(&self) -> u64 {
        self.headers().optional(DELIVERY_COUNT).and_then(|count| count.parse().ok()).unwrap_or_default()
    }
}
