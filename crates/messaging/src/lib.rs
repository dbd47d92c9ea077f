//! RabbitMQ for every service: topology, envelopes, confirmed publishing and supervised consumers.
//!
//! The content of a message is opaque here. This crate handles broker outages: the publisher returns a typed
//! error, and a consumer reconnects by itself.

mod acknowledgement;
mod addresses;
mod batch;
mod broker_error;
mod confirms;
mod connection;
mod consumer;
mod dead_letter;
mod declaration;
mod declared;
mod envelope;
mod hooks;
mod incoming;
mod outgoing;
mod probe;
mod publisher;
mod semconv;
mod send_spans;
mod signature;
mod subscription;
pub mod topology;
mod trace_context;

pub use addresses::addresses;
pub use batch::{BatchHandler, BatchOptions, Rejected, consume_batches};
pub use broker_error::BrokerError;
pub use connection::BrokerConfig;
pub use consumer::{Cause, ConsumeError, ConsumerOptions, Handler, Outcome, Then, consume, listen_control};
pub use dead_letter::{DeadLetter, NotReplayable, StoredLetter, replay};
pub use declaration::{declare_topology, empty_queues};
pub use declared::{declare_metrics, event_kinds};
pub use envelope::{Envelope, EnvelopeError, FirstPublished};
pub use hooks::{Hooks, Subscribed};
pub use incoming::{FromDelivery, Incoming, RawDelivery};
pub use outgoing::{PublishError, Published};
pub use probe::Probe;
pub use publisher::Publisher;
pub use semconv::{SEND_TARGET, integer, mark_failed};
pub use signature::{Authentication, Keyring, NotAuthentic, SigningKey, Unsigned};
pub use trace_context::{LinkSpan, TraceContext, TraceparentOf};
