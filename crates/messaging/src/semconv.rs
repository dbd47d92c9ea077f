//! Every telemetry name of this crate: OpenTelemetry's messaging conventions for RabbitMQ (1.44).
//! The field `service` is none of them: it is the service that a span belongs to, which the exporter needs.
//!
//! A span's name is its field `otel.name`, since `tracing` requires constant names. Ids are attributes, never part of
//! a name.

use std::time::Duration;

use tracing::Span;

use crate::{connection::BrokerConfig, incoming::RawDelivery};

/// Messages handed to the broker, by destination and, if that failed, `error_type`.
pub(crate) const SENT_MESSAGES: &str = "messaging_client_sent_messages_total";
/// Messages handed to handlers, by destination and queue.
pub(crate) const CONSUMED_MESSAGES: &str = "messaging_client_consumed_messages_total";
/// Seconds a handler took, by destination, queue and, if it did not succeed, `error_type`.
pub(crate) const PROCESS_DURATION: &str = "messaging_process_duration_seconds";
/// Seconds from handing a message to the broker to its confirm.
pub(crate) const OPERATION_DURATION: &str = "messaging_client_operation_duration_seconds";
/// Handler calls repeated after a transient error, by queue. Not part of the conventions.
pub(crate) const RETRIES: &str = "messaging_process_retries_total";
/// Messages rejected to the dead letters, by queue. Not part of the conventions.
pub(crate) const DEAD_LETTERS: &str = "messaging_dead_letters_total";
/// Subscriptions lost, by queue. Not part of the conventions.
pub(crate) const SUBSCRIPTIONS_LOST: &str = "messaging_subscriptions_lost_total";

pub(crate) mod label {
    pub(crate) const SYSTEM: &str = "messaging_system";
    pub(crate) const OPERATION: &str = "messaging_operation_name";
    pub(crate) const DESTINATION: &str = "messaging_destination_name";
    pub(crate) const QUEUE: &str = "messaging_destination_subscription_name";
    pub(crate) const ERROR: &str = "error_type";
}

pub(crate) const SYSTEM: &str = "rabbitmq";
pub(crate) const SEND: &str = "send";
/// Target of the `send` spans, by which a subscriber can switch them off.
pub const SEND_TARGET: &str = "messaging::send";

/// What a `send` span says.
pub(crate) struct Sending<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    /// The id of the first message.
    pub(crate) message: Option<&'a str>,
    pub(crate) conversation: Option<&'a str>,
    /// How many messages.
    pub(crate) messages: usize,
}

/// The span of publishing messages. It has a target of its own, since these spans are many and only a trace
/// collector needs them.
pub(crate) fn send_span(config: &BrokerConfig, sending: &Sending<'_>) -> Span {
    let &Sending { exchange, routing_key, message, conversation, messages } = sending;
    let is_one = messages == 1;
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
        messaging.message.id = message.filter(|_| is_one),
        messaging.message.conversation_id = conversation,
        messaging.batch.message_count = (!is_one).then(|| integer(messages)),
        server.address = config.host(),
        server.port = i64::from(config.port()),
        service = config.service(),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// The span of one message that a handler processes.
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
        messaging.rabbitmq.message.delivery_tag = integer(raw.delivery.delivery_tag),
        messaging.message.id = raw.message_id(),
        messaging.message.conversation_id = raw.conversation_id(),
        server.address = config.host(),
        server.port = i64::from(config.port()),
        service = config.service(),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// The span of a batch that a handler processes. Its messages may have many routing keys.
pub(crate) fn batch_span(config: &BrokerConfig, queue: &str, messages: usize) -> Span {
    tracing::info_span!(
        "process",
        otel.name = format!("process {queue}"),
        otel.kind = "consumer",
        messaging.system = SYSTEM,
        "messaging.operation.type" = "process",
        messaging.operation.name = "process",
        messaging.destination.name = queue,
        messaging.batch.message_count = integer(messages),
        server.address = config.host(),
        server.port = i64::from(config.port()),
        service = config.service(),
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// A number as attributes of spans have it: other types of numbers become text.
pub fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Marks a span as failed, in the way that `error_type` says.
pub fn mark_failed(span: &Span, error_type: &str) {
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

        let sending = Sending {
            exchange: "e",
            routing_key: "k",
            message: Some("1"),
            conversation: Some("2"),
            messages: 1,
        };
        tracing::subscriber::with_default(fields, || drop(send_span(&config, &sending)));

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
            "messaging.batch.message_count",
            "server.address",
            "server.port",
            "service",
            "error.type",
            "otel.status_code",
        ];
        assert_eq!(*fields.0.lock().unwrap(), expected);
    }
}
