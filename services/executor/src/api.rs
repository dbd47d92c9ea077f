//! Routes of the executor: a job's bundle, a model-day in full, an agent that is tried by hand, and keys that are read
//! again.

mod bundle;
mod conversation;
mod mcp;
mod model_day;
mod rehearsal;
mod reload;
mod state;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use state::ApiState;

/// All routes of the service.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    let conversation = OpenApiRouter::new().routes(routes!(conversation::put));
    conversation
        .layer(DefaultBodyLimit::max(conversation::LIMIT_MIB << 20))
        .routes(routes!(bundle::bundle))
        .routes(routes!(model_day::model_day))
        .routes(routes!(rehearsal::try_model))
        .routes(routes!(reload::reload))
        .routes(routes!(mcp::mcp))
}
