//! `GET /jobs/{id}/grid`: the states of all model-days of a job, a letter for each.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use chrono::NaiveDate;
use domain::events::job_view::JobRequest;
use domain::events::job_view::days::DayState;
use domain::simulation::model_day::SkipReason;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::status::{DayCell, day_cells};
use utoipa::ToSchema;

use super::known_job::KnownJob;
use super::state::Api;

/// Most model-days of a response with more than one lane.
const MAX_CELLS: usize = 200_000;

/// The states of a job's model-days.
#[derive(Serialize, ToSchema)]
pub(super) struct Grid {
    job_id: String,
    /// The requested dates, oldest first.
    dates: Vec<String>,
    /// A lane for each portfolio, in the order of the request.
    lanes: Vec<Lane>,
    /// How many lanes the job has.
    total_lanes: usize,
    /// The value of `after` for the next page; null on the last.
    next_after: Option<usize>,
}

/// The model-days of one portfolio.
#[derive(Serialize, ToSchema)]
#[schema(as = GridLane)]
struct Lane {
    model: String,
    trial: u32,
    /// A letter for each of `dates`: `c` completed, `f` failed, `r` running, `.` pending, `h` skipped since the market was
    /// closed, `a` skipped since an earlier job had completed it, `s` skipped for another reason, a space where the job was
    /// not requested for it.
    states: String,
}

/// The states of a job's model-days: a letter for each day of each portfolio.
#[utoipa::path(get, path = "/jobs/{job_id}/grid", operation_id = "job_grid", tag = "jobs", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("model" = Option<String>, Query, description = "Only this model."),
        ("trial" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647, description = "Only this trial."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most lanes; 100 when absent. Fewer when they have very many days."),
        ("after" = Option<i64>, Query, minimum = 0, maximum = 10_000_000, description = "Begin after so many lanes."),
    ),
    responses(
        (status = 200, description = "A page of lanes.", body = Grid),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn grid(
    State(api): State<Api>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<Grid>, Problem> {
    let model = params.filter("model");
    let trial = params.number("trial", 0, i64::from(i32::MAX)).and_then(|trial| u32::try_from(trial).ok());
    let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let limit = size(params.number("limit", 1, 1_000).unwrap_or(100));
    let after = size(params.number("after", 0, 10_000_000).unwrap_or(0));
    params.finish()?;
    let job = KnownJob::load(&api, &id).await?;
    let requested = &job.requested;
    let dates = requested.dates();
    let all: Vec<(String, u32)> = requested
        .models
        .iter()
        .filter(|of| model.as_ref().is_none_or(|model| *model == of.signature))
        .flat_map(|of| (0..of.trials).map(|trial| (of.signature.clone(), trial)))
        .filter(|(_, of)| trial.is_none_or(|trial| trial == *of))
        .collect();
    let fitting = (MAX_CELLS / dates.len().max(1)).clamp(1, limit);
    let shown: Vec<(String, u32)> = all.iter().skip(after).take(fitting).cloned().collect();
    let mut cells: BTreeMap<(String, u32), Vec<DayCell>> = BTreeMap::new();
    for cell in day_cells(&api.pool, job.id, &shown).await? {
        cells.entry((cell.model.clone(), cell.trial)).or_default().push(cell);
    }
    let reached = after.saturating_add(shown.len());
    let lanes = shown.into_iter().map(|key| {
        let known = cells.remove(&key).unwrap_or_default();
        let states = letters(requested, &key, &dates, &known);
        Lane { model: key.0, trial: key.1, states }
    });
    Ok(Json(Grid {
        job_id: job.id.to_string(),
        lanes: lanes.collect(),
        dates: dates.iter().map(ToString::to_string).collect(),
        total_lanes: all.len(),
        next_after: (reached < all.len()).then_some(reached),
    }))
}

/// The letters of a lane, one for each of `dates`.
fn letters(
    requested: &JobRequest,
    (model, trial): &(String, u32),
    dates: &[NaiveDate],
    known: &[DayCell],
) -> String {
    let known: BTreeMap<NaiveDate, char> = known.iter().map(|cell| (cell.date, letter(cell))).collect();
    let of = requested.models.iter().find(|of| of.signature == *model);
    let is_requested = |date: NaiveDate| {
        of.is_some_and(|of| {
            of.start <= date && of.requested_dates.as_ref().is_none_or(|dates| dates.has(*trial, date))
        })
    };
    let letter = |date: &NaiveDate| match known.get(date) {
        Some(letter) => *letter,
        None if is_requested(*date) => '.',
        None => ' ',
    };
    dates.iter().map(letter).collect()
}

fn letter(cell: &DayCell) -> char {
    let reason = |reason: SkipReason| cell.skip_reason.as_deref() == Some(reason.as_str());
    match cell.state {
        DayState::Completed => 'c',
        DayState::Failed => 'f',
        DayState::Running => 'r',
        DayState::Skipped if reason(SkipReason::MarketClosed) => 'h',
        DayState::Skipped if reason(SkipReason::AlreadyCompleted) => 'a',
        DayState::Skipped => 's',
    }
}
