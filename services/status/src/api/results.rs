//! `GET /results`: the winning model-days of one day in full, or of a range as series.

mod query;
mod range;
mod single_day;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::values::ids::JobId;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::status::{JobDays, Span, days_of_job, job_view, total_return_holdings};
use utoipa::ToSchema;

use super::chains::Chains;
use super::state::Api;
use query::{Reasoning, ResultsQuery, Valuation, nothing_found};

/// Results of a day, or of a range.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Results {
    /// Of one date.
    Day(DayResults),
    /// Of several dates.
    Range(RangeResults),
}

/// The model-days of a date.
#[derive(Serialize, ToSchema)]
pub(super) struct DayResults {
    count: usize,
    results: Vec<single_day::DayResult>,
}

/// The portfolios over a range of dates.
#[derive(Serialize, ToSchema)]
pub(super) struct RangeResults {
    count: usize,
    results: Vec<range::Series>,
}

/// What the models traded, and what their portfolios were worth.
///
/// One date: each model-day in full. Several: a series for each portfolio. No dates: the last 30 days. A day that
/// several jobs ran shows once, with the result that counts.
#[utoipa::path(get, path = "/results", tag = "results", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(
        ("start_date" = Option<String>, Query, format = Date, description = "First date, `YYYY-MM-DD`; alone, the only one."),
        ("end_date" = Option<String>, Query, format = Date, description = "Last date, `YYYY-MM-DD`; alone, the only one."),
        ("job_id" = Option<String>, Query, description = "Only what this job ran."),
        ("model" = Option<String>, Query, description = "Only this model."),
        ("experiment" = Option<String>, Query, description = "Of this experiment; `default` when absent."),
        ("trial" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647, description = "Of this trial; 0 when absent."),
        ("reasoning" = inline(Option<Reasoning>), Query, description = "How much of the models' reasoning to show; only for one date."),
        ("valuation" = inline(Option<Valuation>), Query, description = "At which price of the day the series value the portfolios."),
    ),
    responses(
        (status = 200, description = "The results.", body = Results),
        (status = 400, description = "The dates are invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "No results were found.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn results(State(api): State<Api>, params: Params) -> Result<Json<Results>, Problem> {
    let query = ResultsQuery::read(params, api.today(), api.settings.lookback_days)?;
    let models = query.model.as_ref().map(std::slice::from_ref);
    let (from, to) = match (query.dates, query.job) {
        (Some(dates), _) => dates,
        (None, Some(job)) => dates_of(&api, job).await?,
        (None, None) => return Err(nothing_found()),
    };
    let (trial, dates) = (Some(query.trial), Span { from: Some(from), to: Some(to) });
    let of_job = match query.job {
        None => None,
        Some(job) => {
            let (experiment, model) = (query.experiment.as_deref(), query.model.as_deref());
            Some(days_of_job(&api.pool, job, &JobDays { experiment, model, trial, dates }).await?)
        }
    };
    // A job has one experiment, which counts when the request names none.
    let experiment = of_job.as_deref().and_then(<[_]>::first).map(|row| row.key.experiment.clone());
    let experiment = experiment.or(query.experiment).unwrap_or_default();
    let chains = Chains::load(&api.pool, &experiment, models, trial, dates).await?;
    let rows = of_job.unwrap_or_else(|| chains.days_from(from));
    if rows.is_empty() {
        return Err(nothing_found());
    }
    let total_return = total_return_holdings(&api.pool, rows.iter().map(|row| &row.key)).await?;
    if from == to {
        let results = single_day::results(&api, &rows, &chains, query.reasoning, &total_return).await?;
        Ok(Json(Results::Day(DayResults { count: results.len(), results })))
    } else {
        let results = range::results(&rows, &chains, query.valuation, &total_return);
        Ok(Json(Results::Range(RangeResults { count: results.len(), results })))
    }
}

/// The first and the last date that a job was asked for.
async fn dates_of(api: &Api, job: JobId) -> Result<(NaiveDate, NaiveDate), Problem> {
    let requested = job_view(&api.pool, job).await?.and_then(|job| job.view.requested);
    requested.map(|requested| (requested.start, requested.end)).ok_or_else(nothing_found)
}
