//! The JSON Schemas of the events and their AsyncAPI document, as they are compiled in, and where they are served.

use std::sync::Arc;

use crate::kind;

/// Where the JSON Schemas of messages are: below the address of an API, or nowhere that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaLocation(Option<Arc<str>>);

impl SchemaLocation {
    /// Below the address of the API, such as `https://modelday.example`.
    pub fn below(base: &str) -> Self {
        Self(Some(base.trim_end_matches('/').into()))
    }

    /// The id of the schema of a type's bodies, an absolute URI: for an event the address that serves it, where that is
    /// known.
    pub fn id(&self, kind: &str) -> String {
        match &self.0 {
            Some(base) if kind::EVENTS.contains(&kind) => format!("{base}/schemas/{kind}.json"),
            _ => kind::schema_id(kind),
        }
    }

    /// The JSON Schema of an event's bodies, with its id; `None` for a type that is not that of an event.
    pub fn json_schema(&self, kind: &str) -> Option<String> {
        let id = |id: String| format!("\"$id\": \"{id}\"");
        Some(json_schema(kind)?.replace(&id(kind::schema_id(kind)), &id(self.id(kind))))
    }

    /// The AsyncAPI document of the events. Its references lead to the schemas where they are served beside it.
    pub fn asyncapi(&self) -> String {
        let refer_to_served = ASYNCAPI.replace("\"json-schema/v1/", "\"schemas/");
        kind::EVENTS.into_iter().fold(refer_to_served, |text, kind| {
            text.replace(&format!("\"{}\"", kind::schema_id(kind)), &format!("\"{}\"", self.id(kind)))
        })
    }
}

const ASYNCAPI: &str = include_str!("../../../proto-schemas/asyncapi.json");

macro_rules! json_schemas {
    ($($kind:literal),+ $(,)?) => {
        fn json_schema(kind: &str) -> Option<&'static str> {
            match kind {
                $($kind => Some(include_str!(concat!("../../../proto-schemas/json-schema/v1/", $kind, ".json"))),)+
                _ => None,
            }
        }
    };
}

json_schemas! {
    "modelday.job.requested.v1",
    "modelday.data.download_started.v1",
    "modelday.data.download_progressed.v1",
    "modelday.data.ready.v1",
    "modelday.data.waiting.v1",
    "modelday.data.failed.v1",
    "modelday.job.started.v1",
    "modelday.model_day.started.v1",
    "modelday.model_day.completed.v1",
    "modelday.model_day.failed.v1",
    "modelday.model_days.skipped.v1",
    "modelday.job.completed.v1",
    "modelday.job.partial.v1",
    "modelday.job.failed.v1",
    "modelday.job.cancelled.v1",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_schema_whose_id_is_where_it_is_served() {
        let (nowhere, somewhere) = (SchemaLocation::default(), SchemaLocation::below("https://a.example/b/"));
        for kind in kind::EVENTS {
            let id = |location: &SchemaLocation| -> String {
                let schema: serde_json::Value =
                    serde_json::from_str(&location.json_schema(kind).unwrap()).unwrap();
                schema["$id"].as_str().unwrap().to_owned()
            };
            assert_eq!(id(&nowhere), format!("urn:modelday:v1:{kind}"));
            assert_eq!(id(&somewhere), format!("https://a.example/b/schemas/{kind}.json"));
            assert_eq!(id(&somewhere), somewhere.id(kind));
        }
        assert_eq!(somewhere.json_schema("lane.continue"), None);
        assert_eq!(somewhere.id("lane.continue"), "urn:modelday:v1:lane.continue", "it is private");
    }

    #[test]
    fn the_served_document_refers_to_served_schemas() {
        let text = SchemaLocation::below("https://a.example").asyncapi();

        assert!(!text.contains("json-schema/v1") && !text.contains("urn:modelday"));
        assert!(text.contains("\"schemas/modelday.job.started.v1.json\""));
        assert!(text.contains("\"https://a.example/schemas/modelday.job.started.v1.json\""));
    }
}
