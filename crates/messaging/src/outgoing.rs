//! A message as it is handed to the broker, and the result of publishing a batch of them.

use lapin::BasicProperties;

use crate::{
    broker_error::BrokerError,
    envelope::{Envelope, EnvelopeError, short},
    signature::Keyring,
    trace_context::TraceContext,
};

/// A message in the form that AMQP publishes.
pub(crate) struct Outgoing<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) properties: BasicProperties,
    pub(crate) body: &'a [u8],
    pub(crate) trace: Option<TraceContext<'a>>,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(envelope: &'a Envelope, keyring: &Keyring) -> Result<Self, EnvelopeError> {
        short("exchange", &envelope.exchange)?;
        short("routing_key", &envelope.routing_key)?;
        Ok(Self {
            exchange: &envelope.exchange,
            routing_key: &envelope.routing_key,
            properties: envelope.properties(keyring)?,
            body: &envelope.body,
            trace: envelope.trace(),
        })
    }
}

/// Why the broker did not take a message.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker is unreachable, blocked or too slow. It may or may not have the message: publish it again.
    #[error("broker unavailable: {0}")]
    Transient(#[from] BrokerError),
    /// No queue is bound for it. The publisher has declared again what its account may declare. When the next attempt is
    /// returned too, no service that reads this routing key has run yet.
    #[error("message {message} to {destination} was returned: {reason}")]
    Returned {
        /// The message's id.
        message: String,
        /// `<exchange>:<routing key>`.
        destination: String,
        /// The broker's reason.
        reason: String,
    },
    /// A queue refused it, for instance because the queue is full. Publish it again.
    #[error("message {message} to {destination} was refused by the broker")]
    Nacked {
        /// The message's id.
        message: String,
        /// `<exchange>:<routing key>`.
        destination: String,
    },
    /// It does not fit into AMQP, so that no later attempt will succeed.
    #[error("message {message} cannot be encoded")]
    Unencodable {
        /// The message's id.
        message: String,
        /// The field that does not fit.
        #[source]
        source: EnvelopeError,
    },
}

impl PublishError {
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::Transient(_) => "transient",
            Self::Returned { .. } => "returned",
            Self::Nacked { .. } => "nacked",
            Self::Unencodable { .. } => "unencodable",
        }
    }
}

/// The result of publishing a batch.
#[derive(Debug)]
pub struct Published {
    /// For each message of the batch: whether the broker has confirmed it in every queue bound for it.
    pub confirmed: Vec<bool>,
    /// Why the batch was not finished. After the first failure nothing more is published, but up to 256 later
    /// messages may be in flight already; `confirmed` is right for those too.
    pub failure: Option<PublishError>,
}
