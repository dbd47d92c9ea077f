//! What the routes share.

use std::sync::Arc;

use domain::ingest::call_quota::Window;

use super::file_body::FileMemory;
use crate::config::source_config::SourceConfig;
use crate::context::Context;
use crate::download::source::quota_key;
use crate::import::Importer;
use crate::source_list::Sources;

/// The state of all routes.
pub(crate) struct Api {
    pub(crate) context: Arc<Context>,
    pub(crate) sources: Sources,
    pub(crate) importer: Importer,
    /// Where imported files are held.
    pub(crate) file_memory: FileMemory,
}

/// A configured source of prices, as the API shows it.
pub(crate) struct ProviderInfo {
    pub(crate) name: &'static str,
    pub(crate) plan: &'static str,
    pub(crate) windows: Vec<Window>,
    /// Names the rows of the key's quota; `None` without a key.
    pub(crate) quota_key: Option<String>,
}

impl From<&SourceConfig> for ProviderInfo {
    fn from(source: &SourceConfig) -> Self {
        Self {
            name: source.kind.name(),
            plan: source.plan,
            windows: source.windows.clone(),
            quota_key: source.access.as_ref().map(|access| quota_key(source.kind, access)),
        }
    }
}
