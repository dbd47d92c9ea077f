//! What the routes share.

use std::sync::Arc;

use domain::ingest::call_quota::Window;
use domain::market::instruments::Universe;

use super::file_body::FileMemory;
use crate::context::Context;
use crate::import::Importer;

/// The state of all routes.
pub(crate) struct Api {
    pub(crate) context: Arc<Context>,
    /// What jobs may trade; `None` when this service cannot read the universe's file.
    pub(crate) universe: Option<Universe>,
    pub(crate) provider: ProviderInfo,
    pub(crate) importer: Importer,
    /// Where imported files are held.
    pub(crate) file_memory: FileMemory,
}

/// The provider in use, as the API shows it.
pub(crate) struct ProviderInfo {
    pub(crate) name: &'static str,
    pub(crate) plan: &'static str,
    pub(crate) windows: Vec<Window>,
    /// Names the rows of the key's quota; `None` without a key.
    pub(crate) quota_key: Option<String>,
}
