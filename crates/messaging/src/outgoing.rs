//! A message on its way to the broker, and what became of it.

use lapin::BasicProperties;

use crate::{
    connection::BrokerError,
    envelope::{Envelope, EnvelopeError, short},
    trace_context::TraceContext,
};

/// A message as AMQP has it.
pub(crate) struct Outgoing<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) properties: BasicProperties,
    pub(crate) body: &'a [u8],
    pub(crate) trace: Option<TraceContext<'a>>,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(envelope: &'a Envelope) -> Result<Self, EnvelopeError> {
        short("exchange", &envelope.exchange)?;
        short("routing_key", &envelope.routing_key)?;
        Ok(Self {
            exchange: &envelope.exchange,
            routing_key: &envelope.routing_key,
            properties: envelope.properties()?,
            body: &envelope.body,
            trace: envelope.trace(),
        })
    }
}

/// Why a message was not taken by the broker.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker is away, blocked or too slow. Whether it has the message is unknown: send it again.
    #[error("broker unavailable: {0}")]
    Transient(#[from] BrokerError),
    /// No queue is bound for it. The topology has been declared again since; should it come back once
    /// more, nobody declares a queue for it.
    #[error("message {message} to {destination} was returned: {reason}")]
    Returned {
        /// Its id.
        message: String,
        /// `<exchange>:<routing key>`.
        destination: String,
        /// What the broker said.
        reason: String,
    },
    /// A queue refused it, for instance because it is full. Send it again.
    #[error("message {message} to {destination} was refused by the broker")]
    Nacked {
        /// Its id.
        message: String,
        /// `<exchange>:<routing key>`.
        destination: String,
    },
    /// It cannot be expressed in AMQP, and never will.
    #[error("message {message} cannot be encoded")]
    Unencodable {
        /// Its id.
        message: String,
        /// What is wrong with it.
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

/// What became of a batch.
#[derive(Debug)]
pub struct Published {
    /// For each message of the batch: the broker has it, in every queue bound for it.
    pub confirmed: Vec<bool>,
    /// Why the batch was not finished. After the first refusal nothing more is sent, but up to 256
    /// later messages may have been on their way and are reported truthfully.
    pub failure: Option<PublishError>,
}
