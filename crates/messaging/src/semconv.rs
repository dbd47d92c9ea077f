//! Every telemetry name of this crate: OpenTelemetry's messaging conventions for RabbitMQ (1.44).
//!
//! Span names are `otel.name`, since `tracing` wants constant ones; ids are attributes, never names.

use std::time::Duration;

use tracing::Span;

use crate::{connection::BrokerConfig, incoming::RawDelivery};

/// Messages handed to the broker, by destination and, if that failed, `error_type`.
pub const SENT_MESSAGES: &str = "messaging_client_sent_messages_total";
/// Messages handed to handlers, by destination and queue.
pub const CONSUMED_MESSAGES: &str = "messaging_client_consumed_messages_total";
/// Seconds a handler took, by destination, queue and, if it did not succeed, `error_type`.
pub const PROCESS_DURATION: &str = "messaging_process_duration_seconds";
/// Seconds from handing a message to the broker to its confirm.
pub const OPERATION_DURATION: &str = "messaging_client_operation_duration_seconds";
/// Handlers asked again because of a transient error, by queue. Not part of the conventions.
pub const RETRIES: &str = "messaging_process_retries_total";
/// Messages put away as dead letters, by queue. Not part of the conventions.
pub const DEAD_LETTERS: &str = "messaging_dead_letters_total";
/// Subscriptions lost and sought again, by queue. Not part of the conventions.
pub const SUBSCRIPTIONS_LOST: &str = "messaging_subscriptions_lost_total";

/// Bucket bounds that the conventions advise for the two durations, in seconds.
pub const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

mod label {
    pub(super) const SYSTEM: &str = "messaging_system";
    pub(super) const OPERATION: &str = "messaging_operation_name";
    pub(super) const DESTINATION: &str = "messaging_destination_name";
    pub(super) const QUEUE: &str = "messaging_destination_subscription_name";
    pub(super) const ERROR: &str = "error_type";
}

const SYSTEM: &str = "rabbitmq";
/// A span's name is its operation and its destination.
const SEND: &str = "send";
/// Target of the spans of messages on their way to the broker.
pub const SEND_TARGET: &str = "messaging::send";

/// The span of one message on its way to the broker. Its target is its own: there are many, and nobody but a
/// collector of traces has a use for them.
pub(crate) fn send_span(
    config: &BrokerConfig,
    exchange: &str,
    routing_key: &str,
    id: &str,
    conversation: &str,
) -> Span {
    tracing::info_span!(
        target: SEND_TARGET,
        "send",
        otel.name = format!("send {exchange}:{routing_key}"),
        otel.kind = "producer",
        messaging.system = SYSTEM,
        "messaging.operation.type" = "send",
        messaging.operation.name = SEND,
        messaging.destination.name = format!("{exchange}:{routing_key}"),
        messaging.rabbitmq.destination.routing_key = routing_key,
        messaging.message.id = id,
        messaging.message.conversation_id = conversation,
        server.address = config.host(),
        server.port = config.port(),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// The span of one message in the hands of a handler.
pub(crate) fn process_span(config: &BrokerConfig, raw: &RawDelivery) -> Span {
    let destination = format!("{}:{}", raw.destination(), raw.queue);
    tracing::info_span!(
        "process",
        otel.name = format!("process {destination}"),
        otel.kind = "consumer",
        messaging.system = SYSTEM,
        "messaging.operation.type" = "process",
        messaging.operation.name = "process",
        messaging.destination.name = destination,
        messaging.rabbitmq.destination.routing_key = raw.delivery.routing_key.as_str(),
        messaging.message.id = raw.message_id(),
        messaging.message.conversation_id = raw.conversation_id(),
        server.address = config.host(),
        server.port = config.port(),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// The span of a batch in the hands of its handler. Its messages may have many routing keys.
pub(crate) fn batch_span(config: &BrokerConfig, queue: &str, messages: usize) -> Span {
    tracing::info_span!(
        "process",
        otel.name = format!("process {queue}"),
        otel.kind = "consumer",
        messaging.system = SYSTEM,
        "messaging.operation.type" = "process",
        messaging.operation.name = "process",
        messaging.destination.name = queue,
        messaging.batch.message_count = messages,
        server.address = config.host(),
        server.port = config.port(),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// Marks a span as failed.
pub(crate) fn fail(span: &Span, error_type: &'static str) {
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

/// Counts and times one message sent.
pub(crate) fn sent(destination: String, took: Duration, error: Option<&'static str>) {
    let mut labels = vec![
        metrics::Label::from_static_parts(label::SYSTEM, SYSTEM),
        metrics::Label::from_static_parts(label::OPERATION, SEND),
        metrics::Label::new(label::DESTINATION, destination),
    ];
    labels.extend(error.map(|error| metrics::Label::from_static_parts(label::ERROR, error)));
    metrics::histogram!(OPERATION_DURATION, labels.clone()).record(took);
    metrics::counter!(SENT_MESSAGES, labels).increment(1);
}

/// Counts one message handed to a handler.
pub(crate) fn consumed(raw: &RawDelivery) {
    metrics::counter!(
        CONSUMED_MESSAGES,
        label::SYSTEM => SYSTEM,
        label::OPERATION => "process",
        label::DESTINATION => raw.destination(),
        label::QUEUE => raw.queue.to_string(),
    )
    .increment(1);
}

/// Times one call of a handler.
pub(crate) fn processed(destination: String, queue: &str, took: Duration, error: Option<&'static str>) {
    let mut labels = vec![
        metrics::Label::from_static_parts(label::SYSTEM, SYSTEM),
        metrics::Label::from_static_parts(label::OPERATION, "process"),
        metrics::Label::new(label::DESTINATION, destination),
        metrics::Label::new(label::QUEUE, queue.to_owned()),
    ];
    labels.extend(error.map(|error| metrics::Label::from_static_parts(label::ERROR, error)));
    metrics::histogram!(PROCESS_DURATION, labels).record(took);
}

/// Counts something that happened to a queue's consumer.
pub(crate) fn count(metric: &'static str, queue: &str) {
    metrics::counter!(metric, label::QUEUE => queue.to_owned()).increment(1);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing::{Metadata, span};

    use super::*;

    /// Remembers the fields of the last span.
    #[derive(Default)]
    struct Fields(Mutex<Vec<&'static str>>);

    impl tracing::Subscriber for &'static Fields {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
            *self.0.lock().unwrap() =
                attributes.metadata().fields().iter().map(|field| field.name()).collect();
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn a_send_span_has_the_attributes_of_the_conventions() {
        let fields: &'static Fields = Box::leak(Box::default());
        let config = BrokerConfig::new("amqp://127.0.0.1:1/%2f", "test").unwrap();

        tracing::subscriber::with_default(fields, || drop(send_span(&config, "e", "k", "1", "2")));

        let expected = [
            "otel.name",
            "otel.kind",
            "messaging.system",
            "messaging.operation.type",
            "messaging.operation.name",
            "messaging.destination.name",
            "messaging.rabbitmq.destination.routing_key",
            "messaging.message.id",
            "messaging.message.conversation_id",
            "server.address",
            "server.port",
            "error.type",
            "otel.status_code",
        ];
        assert_eq!(*fields.0.lock().unwrap(), expected);
    }
}
