//! The names and types of attributes, as OpenTelemetry's semantic conventions publish them: 1.44 for HTTP, messaging,
//! databases, URLs, servers, services and errors
//! (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/>), and those for generative AI, which are in
//! development and have no number of their own yet (<https://github.com/open-telemetry/semantic-conventions-genai>): the
//! names that 1.37 introduced, which `langchain.rs` compares with those of a real instrumentation.

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::collector::Span;

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Integer,
    Texts,
}

use Type::{Integer, Text, Texts};

/// Attributes of the conventions.
const PUBLISHED: [(&str, Type); 46] = [
    ("db.namespace", Text),
    ("db.query.summary", Text),
    ("db.system.name", Text),
    ("error.type", Text),
    ("gen_ai.agent.name", Text),
    ("gen_ai.input.messages", Text),
    ("gen_ai.operation.name", Text),
    ("gen_ai.output.messages", Text),
    ("gen_ai.provider.name", Text),
    ("gen_ai.request.max_tokens", Integer),
    ("gen_ai.request.model", Text),
    ("gen_ai.response.finish_reasons", Texts),
    ("gen_ai.response.id", Text),
    ("gen_ai.response.model", Text),
    ("gen_ai.tool.call.arguments", Text),
    ("gen_ai.tool.call.id", Text),
    ("gen_ai.tool.call.result", Text),
    ("gen_ai.tool.name", Text),
    ("gen_ai.tool.type", Text),
    ("gen_ai.usage.cache_read.input_tokens", Integer),
    ("gen_ai.usage.input_tokens", Integer),
    ("gen_ai.usage.output_tokens", Integer),
    ("http.request.method", Text),
    ("http.request.method_original", Text),
    ("http.response.status_code", Integer),
    ("http.route", Text),
    ("messaging.batch.message_count", Integer),
    ("messaging.destination.name", Text),
    ("messaging.message.conversation_id", Text),
    ("messaging.message.id", Text),
    ("messaging.operation.name", Text),
    ("messaging.operation.type", Text),
    ("messaging.rabbitmq.destination.routing_key", Text),
    ("messaging.rabbitmq.message.delivery_tag", Integer),
    ("messaging.system", Text),
    ("server.address", Text),
    ("server.port", Integer),
    ("service.instance.id", Text),
    ("service.name", Text),
    ("service.version", Text),
    ("telemetry.sdk.language", Text),
    ("telemetry.sdk.name", Text),
    ("telemetry.sdk.version", Text),
    ("url.full", Text),
    ("url.path", Text),
    ("url.scheme", Text),
];

/// Attributes of this project, which the conventions have no name for.
const OWN: [(&str, Type); 10] = [
    ("job.id", Text),
    ("lane.count", Integer),
    ("model", Text),
    ("model_day.count", Integer),
    ("outcome", Text),
    ("provider", Text),
    ("step", Integer),
    ("symbol", Text),
    ("trading_date", Text),
    ("trial", Integer),
];

/// Attributes that only some requests have, and which these tests may not see.
const OTHERS: [(&str, Type); 1] = [("user_agent.original", Text)];

/// What the conventions require of a span of each kind of work, by the attribute that shows the kind.
const REQUIRED: [(&str, &str, &[&str]); 6] = [
    (
        "SERVER",
        "http.request.method",
        &["url.path", "url.scheme", "server.address", "server.port", "http.route"],
    ),
    ("CLIENT", "http.request.method", &["url.full", "server.address", "server.port"]),
    (
        "PRODUCER",
        "messaging.system",
        &[
            "messaging.operation.name",
            "messaging.operation.type",
            "messaging.destination.name",
            "server.address",
        ],
    ),
    (
        "CONSUMER",
        "messaging.system",
        &[
            "messaging.operation.name",
            "messaging.operation.type",
            "messaging.destination.name",
            "server.address",
        ],
    ),
    ("CLIENT", "db.system.name", &["db.query.summary", "db.namespace"]),
    (
        "CLIENT",
        "gen_ai.operation.name",
        &[
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.response.model",
            "gen_ai.response.finish_reasons",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "server.address",
            "server.port",
        ],
    ),
];

/// Every attribute has a published or a documented name, and the type of that name; every span has what the conventions
/// require.
pub(super) fn hold(spans: &[Span]) {
    for span in spans {
        for (name, value) in span.attributes.iter().chain(&span.resource) {
            let known = PUBLISHED.iter().chain(&OWN).chain(&OTHERS).find(|(known, _)| known == name);
            let (_, expected) =
                known.unwrap_or_else(|| panic!("{name} of {} is no known attribute", span.name));
            assert_eq!(type_of(value), Some(*expected), "{name} of {}: {value:?}", span.name);
        }
        for (kind, mark, required) in REQUIRED {
            if span.kind == kind && span.attributes.contains_key(mark) {
                for name in required {
                    assert!(span.attributes.contains_key(*name), "{} has no {name}: {span:?}", span.name);
                }
            }
        }
    }
}

fn type_of(value: &Value) -> Option<Type> {
    match value {
        Value::StringValue(_) => Some(Text),
        Value::IntValue(_) => Some(Integer),
        Value::ArrayValue(list) => {
            let is_text = |value: &opentelemetry_proto::tonic::common::v1::AnyValue| {
                matches!(value.value, Some(Value::StringValue(_)))
            };
            list.values.iter().all(is_text).then_some(Texts)
        }
        _ => None,
    }
}
