//! The HTTP API of the status service: a file for each route.

mod chains;
mod completed_day;
mod cursor;
mod dashboard;
mod dead_letters;
mod events;
mod experiments;
mod failures;
mod format;
mod grid;
mod job_list;
mod jobs;
mod known_job;
mod leaderboard;
mod model_days;
mod portfolio_errors;
mod results;
mod schemas;
mod state;
mod tables;
mod traces;
mod usage;
mod warning;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use state::{Api, Replays};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(jobs::status))
        .routes(routes!(job_list::list))
        .routes(routes!(jobs::job))
        .routes(routes!(model_days::model_days))
        .routes(routes!(grid::grid))
        .routes(routes!(failures::failures))
        .routes(routes!(experiments::experiments))
        .routes(routes!(results::results))
        .routes(routes!(leaderboard::leaderboard))
        .routes(routes!(leaderboard::curves))
        .routes(routes!(dashboard::board))
        .routes(routes!(dashboard::page))
        .routes(routes!(dashboard::job))
        .routes(routes!(dashboard::day))
        .routes(routes!(dashboard::portfolio))
        .routes(routes!(dashboard::file))
        .routes(routes!(events::of_job))
        .routes(routes!(events::of_all))
        .routes(routes!(schemas::schema))
        .routes(routes!(schemas::asyncapi))
        .routes(routes!(traces::trace))
        .routes(routes!(tables::trades))
        .routes(routes!(tables::positions))
        .routes(routes!(tables::equity))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::letter))
        .routes(routes!(dead_letters::replay))
        .routes(routes!(dead_letters::discard))
}
