//! RabbitMQ for every service: topology, envelopes, confirmed publishing and supervised consumers.
//!
//! Knows nothing of the messages' content. Broker outages are this crate's business: callers see a
//! typed error from the publisher, and consumers that come back by themselves.

mod acknowledgement;
mod batch;
mod confirms;
mod connection;
mod consumer;
mod dead_letter;
mod envelope;
mod hooks;
mod incoming;
mod outgoing;
mod probe;
mod publisher;
pub mod semconv;
mod subscription;
pub mod topology;
mod trace_context;

pub use batch::{BatchHandler, BatchOptions, Rejected, consume_batches};
pub use connection::{BrokerConfig, BrokerError, TlsOptions};
pub use consumer::{ConsumeError, ConsumerOptions, Handler, Outcome, Then, consume, listen_control};
pub use dead_letter::{DeadLetter, NotReplayable, replay};
pub use envelope::{Envelope, EnvelopeError};
pub use hooks::{Hooks, Subscribed};
pub use incoming::{FromDelivery, Incoming, RawDelivery};
pub use outgoing::{PublishError, Published};
pub use probe::Probe;
pub use publisher::Publisher;
pub use semconv::SEND_TARGET;
pub use trace_context::{LinkSpan, TraceContext};

/// Why something did not work this time; kept as the error it was, so that its chain can be logged.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
