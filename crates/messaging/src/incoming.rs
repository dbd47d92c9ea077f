//! A delivery, raw and as a handler receives it.

use std::sync::Arc;

use bytes::Bytes;
use lapin::message::Delivery;

use crate::{
    envelope::{Envelope, EnvelopeError, Headers},
    signature::{Authentication, NotAuthentic},
    topology,
    trace_context::TraceContext,
};

/// Header that quorum queues set on each delivery after the first.
pub(crate) const DELIVERY_COUNT: &str = "x-delivery-count";

/// A message handed to a handler. It stays unacknowledged until the handler has returned its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The message.
    pub envelope: Envelope,
    /// The queue it came from.
    pub queue: Arc<str>,
    /// False: no consumer has received it before. True: one may have, or the broker had only requeued it.
    pub redelivered: bool,
    /// How often the broker has requeued it.
    pub delivery_count: u64,
}

/// A delivery whose headers have not been read.
#[derive(Debug)]
pub struct RawDelivery {
    pub(crate) delivery: Delivery,
    pub(crate) body: Bytes,
    pub(crate) queue: Arc<str>,
}

/// A message type that a handler can receive: [`Incoming`], or [`crate::DeadLetter`], which any delivery fits.
pub trait FromDelivery: Clone + Send + Sync + 'static {
    /// Reads a delivery.
    ///
    /// # Errors
    /// When the headers are not a valid envelope, or the message is not authentic. It is rejected to the dead letters.
    fn from_delivery(raw: &RawDelivery, authentication: &Authentication) -> Result<Self, EnvelopeError>;

    /// The trace context of the span that created the message, if it carries one.
    fn trace(&self) -> Option<TraceContext<'_>>;
}

impl Incoming {
    /// W3C `traceparent` of the span that created the message.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.envelope.traceparent.as_deref()
    }
}

impl FromDelivery for Incoming {
    fn from_delivery(raw: &RawDelivery, authentication: &Authentication) -> Result<Self, EnvelopeError> {
        let envelope = Envelope::parse(&raw.delivery, raw.body.clone())?;
        let routing_key = raw.first_routing_key()?;
        envelope.verify(authentication, &routing_key, raw.headers().signature().as_deref())?;
        Ok(Self {
            envelope,
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

    /// Where it was published, as the conventions name a destination.
    pub(crate) fn destination(&self) -> String {
        topology::destination(self.delivery.exchange.as_str(), self.delivery.routing_key.as_str())
    }

    pub(crate) fn message_id(&self) -> &str {
        self.delivery.properties.message_id().as_ref().map(|id| id.as_str()).unwrap_or_default()
    }

    pub(crate) fn conversation_id(&self) -> &str {
        self.delivery.properties.correlation_id().as_ref().map(|id| id.as_str()).unwrap_or_default()
    }

    /// The routing key that the message was first published with. One that was sent directly to a queue must state it,
    /// and the queue must receive messages with it.
    fn first_routing_key(&self) -> Result<String, NotAuthentic> {
        if self.delivery.exchange.as_str() != topology::DEFAULT {
            return Ok(self.delivery.routing_key.to_string());
        }
        let stated = self.headers().first_routing_key().ok_or(NotAuthentic::WrongQueue)?;
        if topology::receives(&self.queue, &stated) { Ok(stated) } else { Err(NotAuthentic::WrongQueue) }
    }

    fn delivery_count(&self) -> u64 {
        self.headers().optional(DELIVERY_COUNT).and_then(|count| count.parse().ok()).unwrap_or_default()
    }
}
