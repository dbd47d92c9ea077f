//! Routes of the downloader: importing prices, what is stored of them, and the provider's budget.

mod coverage;
mod import;
mod providers;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use domain::ingest::call_quota::Window;
use domain::market::calendar::Calendar;
use domain::market::instruments::Universe;
use storage::PgPool;
use tokio::sync::{Notify, Semaphore};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What all routes share.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) calendar: Calendar,
    /// What jobs may trade, as far as it is known.
    pub(crate) universe: Option<Universe>,
    pub(crate) provider: Provider,
    /// Wakes who prepares prices.
    pub(crate) due: Arc<Notify>,
    /// Bytes that an import may have.
    pub(crate) import_limit: usize,
    /// An import is held in memory, so there is one at a time.
    pub(crate) importing: Semaphore,
}

/// The provider in use, as it is shown.
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    pub(crate) plan: &'static str,
    pub(crate) windows: Vec<Window>,
    /// The provider of its budget's rows; `None` without a key.
    pub(crate) budget_key: Option<String>,
}

impl Api {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// All routes of the service; `import_limit` is how many bytes an import may have.
pub(crate) fn routes(import_limit: usize) -> OpenApiRouter<Api> {
    let imports = OpenApiRouter::new().routes(routes!(import::import));
    imports
        .layer(DefaultBodyLimit::max(import_limit))
        .routes(routes!(coverage::coverage))
        .routes(routes!(providers::providers))
}
