//! JSON Schema (draft 2020-12) of a message's body: ProtoJSON as it is sent.

use std::collections::BTreeSet;

use contract::kind;
use prost_types::field_descriptor_proto::{Label, Type};
use serde_json::{Map, Value, json};

use super::example;
use super::messages::{Enum, Field, Message, Messages};
use super::rules;

/// The schema of the bodies of that type; its `$id` is the value of `cloudEvents_dataschema`.
pub(super) fn of(kind: &str, all: &Messages) -> Value {
    let name = Messages::name_of_body(kind);
    let mut schema = message(name, &all.messages[name]);
    if let Some(outcome) = outcome(kind) {
        schema["properties"]["outcome"] = json!({ "const": outcome });
    }
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(kind::schema_id(kind));
    schema["title"] = json!(kind);
    schema["examples"] = json!([example(kind).body]);
    let mut definitions = Map::new();
    while let Some(name) = undefined(&schema, &definitions) {
        let definition = all.messages.get(&name).map(|found| message(&name, found));
        let definition = definition.unwrap_or_else(|| choice(&all.enums[&name]));
        definitions.insert(name, definition);
    }
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    schema
}

/// Type and outcome agree.
fn outcome(kind: &str) -> Option<&'static str> {
    match kind {
        kind::JOB_COMPLETED => Some("JOB_OUTCOME_COMPLETED"),
        kind::JOB_PARTIAL => Some("JOB_OUTCOME_PARTIAL"),
        kind::JOB_FAILED => Some("JOB_OUTCOME_FAILED"),
        kind::JOB_CANCELLED => Some("JOB_OUTCOME_CANCELLED"),
        _ => None,
    }
}

fn message(name: &str, message: &Message) -> Value {
    let mut schema = json!({ "type": "object" });
    describe(&mut schema, &message.comment);
    let mut required = BTreeSet::new();
    for field in &message.fields {
        let path = format!("{name}.{}", field.descriptor.name());
        if rules::of(&path).0 {
            required.insert(field.descriptor.name());
        }
        schema["properties"][field.descriptor.name()] = property(&path, field);
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    for (choice, fields) in &message.choices {
        assert!(rules::CHOICES.contains(&format!("{name}.{choice}").as_str()), "{name}.{choice} has no rule");
        schema["oneOf"] = fields.iter().map(|field| json!({ "required": [field] })).collect();
    }
    schema
}

fn property(path: &str, Field { comment, descriptor }: &Field) -> Value {
    let (required, form) = rules::of(path);
    let (mut schema, default) = match descriptor.r#type() {
        Type::Message | Type::Enum => {
            let name = descriptor.type_name().rsplit('.').next().unwrap();
            (json!({ "$ref": format!("#/$defs/{name}") }), Value::Null)
        }
        Type::String => (json!({ "type": "string" }), json!("")),
        Type::Bool => (json!({ "type": "boolean" }), json!(false)),
        Type::Uint32 => (json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }), json!(0)),
        Type::Int64 => (json!({ "type": "string", "pattern": "^-?[0-9]+$" }), json!("0")),
        Type::Uint64 => (json!({ "type": "string", "pattern": "^[0-9]+$" }), json!("0")),
        other => panic!("{path}: no rule for {} in JSON", other.as_str_name()),
    };
    let Value::Object(keywords) = form.keywords() else { panic!("{form:?}") };
    keywords.into_iter().for_each(|(keyword, value)| schema[keyword] = value);
    if descriptor.label() == Label::Repeated {
        schema = json!({ "type": "array", "items": schema, "default": [] });
    } else if !required && !descriptor.proto3_optional() && !default.is_null() {
        if default == "" && form != rules::Form::Any {
            schema = json!({ "anyOf": [schema, { "const": "" }] });
        }
        schema["default"] = default;
    }
    describe(&mut schema, comment);
    schema
}

/// A reader accepts values that it does not know.
fn choice(Enum { comment, values }: &Enum) -> Value {
    let mut schema = json!({ "anyOf": [{ "enum": values }, { "type": "string" }] });
    describe(&mut schema, comment);
    schema
}

fn describe(schema: &mut Value, comment: &str) {
    if !comment.is_empty() {
        schema["description"] = json!(comment);
    }
}

/// A definition that is referred to and not yet added.
fn undefined(schema: &Value, definitions: &Map<String, Value>) -> Option<String> {
    let mut names = Vec::new();
    references(schema, &mut names);
    definitions.values().for_each(|definition| references(definition, &mut names));
    names.into_iter().find(|name| !definitions.contains_key(name))
}

fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(keywords) => {
            let name =
                keywords.get("$ref").and_then(|reference| reference.as_str()?.strip_prefix("#/$defs/"));
            names.extend(name.map(str::to_owned));
            keywords.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        _ => {}
    }
}
