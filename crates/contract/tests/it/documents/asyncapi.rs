//! The AsyncAPI document of the public events. Commands are private and are not in it.

use contract::kind;
use serde_json::{Map, Value, json};

use super::example;
use super::messages::Messages;

const TITLE: &str = "Modelday's events";
const DESCRIPTION: &str = "Everything that happens to a job. The headers are those of CloudEvents 1.0 in binary \
    content mode; the body is ProtoJSON, in which a field with its default value is left out. (source, id) \
    identifies a message: duplicates happen, so drop what you have seen. First copies from one source arrive in \
    order per job; between sources there is no order. Within v1 there are only additions: ignore fields, values \
    and types that you do not know.";

/// The document of every event type.
pub(super) fn of(all: &Messages) -> Value {
    let each = |part: &dyn Fn(&str) -> (String, Value)| kind::EVENTS.iter().map(|kind| part(kind)).collect();
    let channels: Map<String, Value> = each(&|kind| (kind.to_owned(), channel(kind, all)));
    let operations: Map<String, Value> = each(&|kind| (format!("send.{kind}"), operation(kind)));
    let messages: Map<String, Value> = each(&|kind| (kind.to_owned(), message(kind, all)));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLE,
            "version": "1",
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:28672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "What `make run` starts, when the port is free.",
            },
        },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages },
    })
}

/// The routing key under which a type arrives.
fn channel(kind: &str, all: &Messages) -> Value {
    json!({
        "address": kind,
        "description": summary(kind, all),
        "messages": { kind: { "$ref": format!("#/components/messages/{kind}") } },
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": {
                "name": "modelday.events",
                "type": "topic",
                "durable": true,
                "autoDelete": false,
                "vhost": "/",
            },
            "bindingVersion": "0.3.0",
        } },
    })
}

fn operation(kind: &str) -> Value {
    json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{kind}") },
        "messages": [{ "$ref": format!("#/channels/{kind}/messages/{kind}") }],
        "bindings": { "amqp": { "deliveryMode": 2, "mandatory": true, "timestamp": true, "bindingVersion": "0.3.0" } },
    })
}

fn message(kind: &str, all: &Messages) -> Value {
    json!({
        "name": kind,
        "title": kind,
        "summary": summary(kind, all),
        "contentType": "application/json",
        "correlationId": { "location": "$message.header#/cloudEvents_subject" },
        "headers": headers(kind),
        "payload": { "$ref": format!("json-schema/v1/{kind}.json") },
        "bindings": { "amqp": { "messageType": kind, "bindingVersion": "0.3.0" } },
        "examples": [{ "name": kind, "headers": example(kind).headers, "payload": example(kind).body }],
    })
}

/// All are strings.
fn headers(kind: &str) -> Value {
    let required = [
        "cloudEvents_specversion",
        "cloudEvents_id",
        "cloudEvents_source",
        "cloudEvents_type",
        "cloudEvents_subject",
        "cloudEvents_time",
        "cloudEvents_sequence",
        "cloudEvents_dataschema",
    ];
    json!({
        "type": "object",
        "properties": {
            "cloudEvents_specversion": { "type": "string", "const": "1.0" },
            "cloudEvents_id": { "type": "string", "format": "uuid" },
            "cloudEvents_source": { "type": "string", "pattern": "^/modelday/[a-z]+$" },
            "cloudEvents_type": { "type": "string", "const": kind },
            "cloudEvents_subject": { "type": "string", "format": "uuid", "description": "The job's id." },
            "cloudEvents_time": { "type": "string", "format": "date-time" },
            "cloudEvents_sequence": {
                "type": "string",
                "pattern": "^[0-9]+$",
                "description": "Order within one source.",
            },
            "cloudEvents_dataschema": {
                "type": "string",
                "format": "uri",
                "description": "Where the schema of the body is, or its URN where that is not known.",
            },
            "x-modelday-signature": {
                "type": "string",
                "pattern": "^[0-9a-z-]+ [0-9a-f]{64}$",
                "description": "For the services of Modelday: a key's name and an HMAC.",
            },
            "traceparent": { "type": "string" },
            "tracestate": { "type": "string" },
        },
        "required": required,
    })
}

/// The comment of the message without the types at its beginning.
fn summary(kind: &str, all: &Messages) -> String {
    let comment = &all.messages[Messages::name_of_body(kind)].comment;
    let (_, text) = comment.split_once(": ").unwrap_or_else(|| panic!("{kind} has no comment"));
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}
