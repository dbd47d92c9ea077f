//! The part of the descriptors that consumers depend on.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use serde::{Deserialize, Serialize};

/// The messages and enums of one package, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schema {
    pub(super) messages: BTreeMap<String, BTreeMap<String, Field>>,
    pub(super) enums: BTreeMap<String, BTreeMap<String, i32>>,
}

/// One field of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) number: i32,
    pub(super) r#type: String,
    /// `singular`, `optional` or `repeated`.
    pub(super) label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) oneof: Option<String>,
}

impl Schema {
    pub(super) fn of(descriptors: &[u8]) -> Self {
        let mut schema = Self { messages: BTreeMap::new(), enums: BTreeMap::new() };
        for file in FileDescriptorSet::decode(descriptors).unwrap().file {
            let package = file.package().to_owned();
            file.message_type.iter().for_each(|message| schema.add_message(&package, message));
            file.enum_type.iter().for_each(|values| schema.add_enum(&package, values));
        }
        schema
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap() + "\n"
    }

    fn add_message(&mut self, scope: &str, message: &DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        message.nested_type.iter().for_each(|nested| self.add_message(&name, nested));
        message.enum_type.iter().for_each(|nested| self.add_enum(&name, nested));
        let fields = message.field.iter().map(|field| (field.name().to_owned(), Field::of(field, message)));
        self.messages.insert(name, fields.collect());
    }

    fn add_enum(&mut self, scope: &str, values: &EnumDescriptorProto) {
        let numbers = values.value.iter().map(|value| (value.name().to_owned(), value.number()));
        self.enums.insert(format!("{scope}.{}", values.name()), numbers.collect());
    }
}

impl Field {
    fn of(field: &FieldDescriptorProto, message: &DescriptorProto) -> Self {
        let r#type = match field.r#type() {
            Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
            scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
        };
        let label = match field.label() {
            Label::Repeated => "repeated",
            Label::Optional | Label::Required if field.proto3_optional() => "optional",
            Label::Optional | Label::Required => "singular",
        };
        // The compiler puts each `optional` field into a hidden oneof of its own.
        let place = field.oneof_index.filter(|_| !field.proto3_optional());
        let oneof = place.map(|place| message.oneof_decl[usize::try_from(place).unwrap()].name().to_owned());
        Self { number: field.number(), r#type, label: label.to_owned(), oneof }
    }
}
