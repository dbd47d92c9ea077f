//! The HTTP API of the trigger service.

mod changes;
mod jobs;
mod model_schema;
mod models;
mod pauses;
mod reload;
mod request;
mod request_schema;
mod response;
mod simulate;
mod universes;
mod version;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accept::Acceptor;

pub(crate) fn routes() -> OpenApiRouter<Acceptor> {
    let model = OpenApiRouter::new().routes(routes!(models::model, models::put, models::delete));
    model
        .layer(DefaultBodyLimit::max(models::LIMIT_MIB << 20))
        .routes(routes!(simulate::trigger))
        .routes(routes!(simulate::plan))
        .routes(routes!(models::models))
        .routes(routes!(universes::universes))
        .routes(routes!(universes::universe, universes::put, universes::delete))
        .routes(routes!(reload::reload))
        .routes(routes!(changes::changes))
        .routes(routes!(pauses::pauses))
        .routes(routes!(pauses::pause, pauses::resume))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::retry))
}
