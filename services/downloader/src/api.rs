//! Routes of the downloader: importing prices, which prices are stored, and the provider's quota.

mod coverage;
mod import;
mod providers;
pub(crate) mod state;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use state::Api;

/// All routes of the service; `import_limit` is the most bytes of an imported file.
pub(crate) fn routes(import_limit: usize) -> OpenApiRouter<Arc<Api>> {
    let imports = OpenApiRouter::new().routes(routes!(import::import));
    imports
        .layer(DefaultBodyLimit::max(import_limit))
        .routes(routes!(coverage::coverage))
        .routes(routes!(providers::providers))
}
