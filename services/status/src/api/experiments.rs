//! `GET /experiments`: the experiments that have results.

use axum::Json;
use axum::extract::State;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::status::{ExperimentRow, experiments as stored};
use utoipa::ToSchema;

use super::state::Api;

/// A page of experiments.
#[derive(Serialize, ToSchema)]
pub(super) struct Experiments {
    count: usize,
    experiments: Vec<Experiment>,
    next_cursor: Option<String>,
}

/// An experiment with a completed day.
#[derive(Serialize, ToSchema)]
struct Experiment {
    experiment: String,
    /// How many models have completed a day in it.
    models: i64,
    /// How many portfolios have: models times trials.
    portfolios: i64,
}

impl From<ExperimentRow> for Experiment {
    fn from(row: ExperimentRow) -> Self {
        Self { experiment: row.experiment, models: row.models, portfolios: row.portfolios }
    }
}

/// The experiments that have a completed day, by name.
#[utoipa::path(get, path = "/experiments", operation_id = "experiments", tag = "results", security(("token" = ["read"])),
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most experiments; 1,000 when absent."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier response."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Experiments),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn experiments(
    State(api): State<Api>,
    mut params: Params,
) -> Result<Json<Experiments>, Problem> {
    let limit = params.number("limit", 1, 1_000).unwrap_or(1_000);
    let after = params.filter("cursor");
    params.finish()?;
    let mut rows = stored(&api.pool, after.as_deref(), limit + 1).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    rows.truncate(page);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.experiment.clone());
    let experiments: Vec<Experiment> = rows.into_iter().map(Into::into).collect();
    Ok(Json(Experiments { count: experiments.len(), experiments, next_cursor }))
}
