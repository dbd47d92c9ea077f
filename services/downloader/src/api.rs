//! Routes of the downloader: importing prices, which prices are stored, and the provider's quota.

mod bars;
mod coverage;
mod file_body;
mod import;
mod imports;
mod providers;
mod reload;
pub(crate) mod state;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use state::Api;

pub(crate) use file_body::FileMemory;

/// All routes of the service.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(import::import))
        .routes(routes!(imports::imports))
        .routes(routes!(coverage::coverage))
        .routes(routes!(bars::bars))
        .routes(routes!(providers::providers))
        .routes(routes!(reload::reload))
}
