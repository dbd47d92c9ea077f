//! The HTTP API of the trigger service.

mod jobs;
mod models;
mod request;
mod request_schema;
mod response;
mod simulate;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accept::Acceptor;

pub(crate) fn routes() -> OpenApiRouter<Acceptor> {
    OpenApiRouter::new()
        .routes(routes!(simulate::trigger))
        .routes(routes!(simulate::plan))
        .routes(routes!(models::models))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::retry))
}
