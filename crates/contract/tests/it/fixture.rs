//! The committed messages under `proto-schemas/fixtures/v1`.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A message as a consumer receives it: headers, basic properties and body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    pub(crate) headers: Map<String, Value>,
    pub(crate) properties: Map<String, Value>,
    pub(crate) body: Value,
}

impl Fixture {
    /// The message of that type.
    pub(crate) fn of(kind: &str) -> Self {
        let path = directory().join(format!("{kind}.json"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|problem| panic!("{kind} has no fixture: {problem}"));
        serde_json::from_str(&text).unwrap_or_else(|problem| panic!("{kind}: {problem}"))
    }

    /// The types that have a file.
    pub(crate) fn kinds() -> Vec<String> {
        let files = std::fs::read_dir(directory()).unwrap();
        let name =
            |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name().into_string().unwrap();
        let mut kinds: Vec<_> = files.map(|file| name(file).trim_end_matches(".json").to_owned()).collect();
        kinds.sort();
        kinds
    }
}

fn directory() -> PathBuf {
    proto_schemas().join("fixtures/v1")
}

/// The directory of the contract.
pub(crate) fn proto_schemas() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto-schemas")
}
