//! The `send` spans of a batch: one for all its messages to one destination that the same span created. A turn of a lane
//! may send hundreds of events, and hundreds of spans that say the same help no reader.

use std::collections::HashMap;

use lapin::{BasicProperties, types::AMQPValue};
use tracing::{Level, Span};

use crate::{
    connection::BrokerConfig,
    envelope::TRACEPARENT,
    outgoing::Outgoing,
    semconv::{self, Sending},
    trace_context::{LinkSpan, TraceContext, TraceparentOf},
};

/// How `send` spans get their places in traces.
#[derive(Clone, Copy)]
pub(crate) struct Tracing {
    pub(crate) link: LinkSpan,
    pub(crate) traceparent_of: TraceparentOf,
}

/// The spans of one batch.
pub(crate) struct SendSpans<'a> {
    config: &'a BrokerConfig,
    /// Absent when nothing collects the spans.
    tracing: Option<Tracing>,
    groups: HashMap<Key<'a>, Group>,
}

/// Exchange, routing key and creator.
type Key<'a> = (&'a str, &'a str, Option<TraceContext<'a>>);

#[derive(Default)]
struct Group {
    messages: usize,
    /// The span with its `traceparent`, from the first message on.
    span: Option<(Span, Option<String>)>,
}

impl<'a> SendSpans<'a> {
    pub(crate) fn new(config: &'a BrokerConfig, tracing: Option<Tracing>, batch: &[Outgoing<'a>]) -> Self {
        let is_collected = tracing::span_enabled!(target: semconv::SEND_TARGET, Level::INFO);
        let mut groups: HashMap<Key<'a>, Group> = HashMap::new();
        if is_collected {
            for message in batch {
                groups.entry(key(message)).or_default().messages += 1;
            }
        }
        Self { config, tracing: tracing.filter(|_| is_collected), groups }
    }

    /// The span of a message of the batch, and the message's properties, from which its consumers continue that span.
    pub(crate) fn of(&mut self, message: &Outgoing<'a>) -> (Span, BasicProperties) {
        let Some(group) = self.groups.get_mut(&key(message)) else {
            return (Span::none(), message.properties.clone());
        };
        let (span, traceparent) = match &group.span {
            Some(made) => made.clone(),
            None => {
                let span = semconv::send_span(self.config, &sending(message, group.messages));
                let mut traceparent = None;
                if let (Some(tracing), Some(creator)) = (self.tracing, message.trace) {
                    (tracing.link)(&span, &[creator]);
                    traceparent = (tracing.traceparent_of)(&span);
                }
                group.span.insert((span, traceparent)).clone()
            }
        };
        (span, with_traceparent(&message.properties, traceparent))
    }
}

fn key<'a>(message: &Outgoing<'a>) -> Key<'a> {
    (message.exchange, message.routing_key, message.trace)
}

fn sending<'m>(message: &'m Outgoing<'_>, messages: usize) -> Sending<'m> {
    let text = |value: &'m Option<lapin::types::ShortString>| value.as_ref().map(|text| text.as_str());
    Sending {
        exchange: message.exchange,
        routing_key: message.routing_key,
        message: text(message.properties.message_id()),
        conversation: text(message.properties.correlation_id()),
        messages,
    }
}

fn with_traceparent(properties: &BasicProperties, traceparent: Option<String>) -> BasicProperties {
    let properties = properties.clone();
    let Some(traceparent) = traceparent else { return properties };
    let mut headers = properties.headers().clone().unwrap_or_default();
    headers.insert(TRACEPARENT.into(), AMQPValue::LongString(traceparent.into()));
    properties.with_headers(headers)
}
