//! The messages as the descriptors have them, with the comments of the `.proto` files.

use std::collections::BTreeMap;

use contract::kind;
use prost::Message as _;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, SourceCodeInfo};

/// All messages and enums by name, without the package.
pub(super) struct Messages {
    pub(super) messages: BTreeMap<String, Message>,
    pub(super) enums: BTreeMap<String, Enum>,
}

/// A message.
pub(super) struct Message {
    pub(super) comment: String,
    pub(super) fields: Vec<Field>,
    /// Names of the fields of each `oneof`.
    pub(super) choices: BTreeMap<String, Vec<String>>,
}

/// A field of a message.
pub(super) struct Field {
    pub(super) comment: String,
    pub(super) descriptor: FieldDescriptorProto,
}

/// An enum with the names of its values; the unspecified one, which is never sent, is left out.
pub(super) struct Enum {
    pub(super) comment: String,
    pub(super) values: Vec<String>,
}

/// Numbers of fields in `descriptor.proto`, of which a comment's place is made.
const MESSAGE: i32 = 4;
const ENUM: i32 = 5;
const FIELD: i32 = 2;

impl Messages {
    pub(super) fn of(descriptors: &[u8]) -> Self {
        let mut all = Self { messages: BTreeMap::new(), enums: BTreeMap::new() };
        for file in FileDescriptorSet::decode(descriptors).unwrap().file {
            let comments = Comments(file.source_code_info.unwrap());
            for (place, message) in (0..).zip(file.message_type) {
                let name = message.name().to_owned();
                all.messages.insert(name, Message::of(message, &comments, place));
            }
            for (place, values) in (0..).zip(file.enum_type) {
                let comment = comments.at(&[ENUM, place]);
                let names = values.value.iter().filter(|value| value.number() != 0);
                let names = names.map(|value| value.name().to_owned()).collect();
                all.enums.insert(values.name().to_owned(), Enum { comment, values: names });
            }
        }
        all
    }

    /// Name of the message that is the body of that type.
    pub(super) fn name_of_body(kind: &str) -> &'static str {
        match kind {
            kind::JOB_REQUESTED => "JobRequested",
            kind::DOWNLOAD_STARTED => "DownloadStarted",
            kind::DOWNLOAD_PROGRESSED => "DownloadProgressed",
            kind::DATA_READY => "DataReady",
            kind::DATA_WAITING => "DataWaiting",
            kind::DATA_FAILED => "DataFailed",
            kind::JOB_STARTED => "JobStarted",
            kind::MODEL_DAY_STARTED => "ModelDayStarted",
            kind::MODEL_DAY_COMPLETED => "ModelDayCompleted",
            kind::MODEL_DAY_FAILED => "ModelDayFailed",
            kind::MODEL_DAYS_SKIPPED => "ModelDaysSkipped",
            kind::JOB_COMPLETED | kind::JOB_PARTIAL | kind::JOB_FAILED | kind::JOB_CANCELLED => "JobEnded",
            kind::LANE_CONTINUE => "LaneContinue",
            kind::JOB_CANCEL => "JobCancel",
            unknown => panic!("{unknown} has no message here"),
        }
    }
}

impl Message {
    fn of(message: DescriptorProto, comments: &Comments, place: i32) -> Self {
        assert!(
            message.nested_type.is_empty() && message.enum_type.is_empty(),
            "nested types are not described"
        );
        let mut choices: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for field in message.field.iter().filter(|field| !field.proto3_optional()) {
            if let Some(index) = field.oneof_index {
                let choice = message.oneof_decl[usize::try_from(index).unwrap()].name();
                choices.entry(choice.to_owned()).or_default().push(field.name().to_owned());
            }
        }
        let field =
            |(index, descriptor)| Field { comment: comments.at(&[MESSAGE, place, FIELD, index]), descriptor };
        let fields = (0..).zip(message.field).map(field).collect();
        Self { comment: comments.at(&[MESSAGE, place]), fields, choices }
    }
}

struct Comments(SourceCodeInfo);

impl Comments {
    /// The comment above a declaration, as one line; empty when there is none.
    fn at(&self, path: &[i32]) -> String {
        let location = self.0.location.iter().find(|location| location.path == path);
        let text = location.map(|location| location.leading_comments()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
