//! Versions of models and universes, as the API shows them.

use chrono::SecondsFormat;
use serde::Serialize;
use storage::trigger::catalogue::EntryVersion;
use utoipa::ToSchema;

/// A version of a model or a universe.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionBody {
    /// Counted from 1.
    version: u32,
    /// `file` or `api`.
    origin: &'static str,
    /// Hash of what affects the outcome; null when this version is the removal.
    config_hash: Option<String>,
    /// The name of the API token that stored it, `anonymous`, `start` or `SIGHUP`.
    changed_by: String,
    #[schema(format = DateTime)]
    changed_at: String,
}

impl From<&EntryVersion> for VersionBody {
    fn from(version: &EntryVersion) -> Self {
        Self {
            version: version.version,
            origin: version.origin.as_str(),
            config_hash: version.content.as_ref().map(|(_, hash)| hash.clone()),
            changed_by: version.changed_by.clone(),
            changed_at: version.changed_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        }
    }
}
