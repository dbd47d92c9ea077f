//! Routes of the executor: a job's bundle, and a model-day in full.

mod bundle;
mod model_day;
mod state;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use state::ApiState;

/// All routes of the service.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(bundle::bundle)).routes(routes!(model_day::model_day))
}
