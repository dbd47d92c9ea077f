//! `GET /results`: the winning model-days of one day in full, or of a range as series.

mod day;
mod range;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{Days, NaiveDate};
use domain::events::job_view::days::DayFigures;
use domain::job::request::{DEFAULT_EXPERIMENT, ValidationError};
use domain::values::date::parse_date;
use domain::values::ids::JobId;
use runtime::http::{Params, Problem, ProblemBody};
use rust_decimal::Decimal;
use serde::Serialize;
use storage::status::{JobDays, Span, days_of_job};
use utoipa::ToSchema;

use super::stale::Chains;
use super::{Api, bad_request};
pub(super) use day::completed;

const DATE_REMOVED: &str = "Parameter 'date' has been removed. Use 'start_date' and/or 'end_date' instead.";

/// How much of a model's reasoning is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reasoning {
    None,
    Summary,
    Full,
}

/// At which price of the day a portfolio is valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Valuation {
    Open,
    Close,
}

impl Valuation {
    fn ending(self, day: &DayFigures) -> Decimal {
        match self {
            Self::Open => day.value_at_open,
            Self::Close => day.value_at_close,
        }
    }
}

/// The values of `reasoning`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes")]
enum ReasoningName {
    None,
    Summary,
    Full,
}

/// The values of `valuation`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes")]
enum ValuationName {
    Open,
    Close,
}

/// What was asked for.
struct Request {
    job: Option<JobId>,
    model: Option<String>,
    from: NaiveDate,
    to: NaiveDate,
    reasoning: Reasoning,
    valuation: Valuation,
    experiment: Option<String>,
    trial: u32,
}

/// Results of a day, or of a range.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Results {
    /// One date.
    Day(DayResults),
    /// Several.
    Range(RangeResults),
}

/// The model-days of a date.
#[derive(Serialize, ToSchema)]
pub(crate) struct DayResults {
    count: usize,
    results: Vec<day::DayResult>,
}

/// The portfolios over a range of dates.
#[derive(Serialize, ToSchema)]
pub(crate) struct RangeResults {
    count: usize,
    results: Vec<range::Series>,
}

/// What the models did and what came of it.
///
/// One date: each model-day in full. Several: a series for each portfolio. No dates: the last 30 days. A day that
/// several jobs ran shows once, with the result that counts.
#[utoipa::path(get, path = "/results", tag = "results", security(("token" = ["read"])),
    params(
        ("start_date" = Option<String>, Query, format = Date, description = "First date, `YYYY-MM-DD`; alone, the only one."),
        ("end_date" = Option<String>, Query, format = Date, description = "Last date, `YYYY-MM-DD`; alone, the only one."),
        ("job_id" = Option<String>, Query, description = "Only what this job ran."),
        ("model" = Option<String>, Query, description = "Only this model."),
        ("experiment" = Option<String>, Query, description = "Of this experiment; `default` when absent."),
        ("trial" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647, description = "Of this trial; 0 when absent."),
        ("reasoning" = inline(Option<ReasoningName>), Query, description = "How much of what the models said; of one date."),
        ("valuation" = inline(Option<ValuationName>), Query, description = "At which price of the day the range form values."),
    ),
    responses(
        (status = 200, description = "The results.", body = Results),
        (status = 400, description = "The dates are wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "There are none.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn results(State(api): State<Api>, params: Params) -> Result<Json<Results>, Problem> {
    let request = Request::read(params, api.today(), api.reading.lookback_days)?;
    let models = request.model.as_ref().map(std::slice::from_ref);
    let (trial, dates) = (Some(request.trial), Span { from: Some(request.from), to: Some(request.to) });
    let of_job = match request.job {
        None => None,
        Some(job) => {
            let (experiment, model) = (request.experiment.as_deref(), request.model.as_deref());
            Some(days_of_job(&api.pool, job, &JobDays { experiment, model, trial, dates }).await?)
        }
    };
    // One experiment: it was named, or is that of the job.
    let experiment = of_job.as_deref().and_then(<[_]>::first).map(|row| row.key.experiment.clone());
    let experiment = experiment.or(request.experiment).unwrap_or_default();
    let chains = Chains::load(&api.pool, &experiment, models, trial, dates).await?;
    let rows = of_job.unwrap_or_else(|| chains.days_from(request.from));
    if rows.is_empty() {
        return Err(nothing_found());
    }
    if request.from == request.to {
        let results = day::results(&api, &rows, &chains, request.reasoning).await?;
        Ok(Json(Results::Day(DayResults { count: results.len(), results })))
    } else {
        let results = range::results(&rows, &chains, request.valuation);
        Ok(Json(Results::Range(RangeResults { count: results.len(), results })))
    }
}

fn nothing_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "No trading data found for the specified filters")
}

impl Request {
    fn read(mut params: Params, today: NaiveDate, lookback_days: u32) -> Result<Self, Problem> {
        let reasonings =
            [("none", Reasoning::None), ("summary", Reasoning::Summary), ("full", Reasoning::Full)];
        let reasoning = params.choice("reasoning", &reasonings).unwrap_or(Reasoning::None);
        let valuations = [("open", Valuation::Open), ("close", Valuation::Close)];
        let valuation = params.choice("valuation", &valuations).unwrap_or(Valuation::Open);
        let trial = params.number("trial", 0, i64::from(i32::MAX)).unwrap_or(0);
        let (job, model, experiment) =
            (params.filter("job_id"), params.filter("model"), params.filter("experiment"));
        let removed = params.text("date").map(str::to_owned);
        let dates =
            (params.text("start_date").map(str::to_owned), params.text("end_date").map(str::to_owned));
        params.finish()?;
        if let Some(input) = removed {
            let error =
                ValidationError::value(vec!["query".into(), "date".into()], DATE_REMOVED, input.into());
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, DATE_REMOVED).with_errors(vec![error]));
        }
        let (from, to) = dates_asked(dates.0.as_deref(), dates.1.as_deref(), today, lookback_days)?;
        // Any text is a job id here; one that no job can have finds nothing.
        let job = job.map(|id| id.parse().map_err(|_| nothing_found())).transpose()?;
        let experiment = experiment.or_else(|| job.is_none().then(|| DEFAULT_EXPERIMENT.to_owned()));
        let trial = u32::try_from(trial).unwrap_or_default();
        Ok(Self { job, model, from, to, reasoning, valuation, experiment, trial })
    }
}

/// The dates asked for: those given, a single one for both, or the last `lookback_days`.
fn dates_asked(
    start: Option<&str>,
    end: Option<&str>,
    today: NaiveDate,
    lookback_days: u32,
) -> Result<(NaiveDate, NaiveDate), Problem> {
    let read =
        |text: &str| parse_date(text).ok_or_else(|| bad_request("Invalid date format. Expected YYYY-MM-DD"));
    let (from, to) = match (start.map(read).transpose()?, end.map(read).transpose()?) {
        (Some(start), Some(end)) => (start, end),
        (Some(day), None) | (None, Some(day)) => (day, day),
        (None, None) => {
            let first = today.checked_sub_days(Days::new(u64::from(lookback_days))).unwrap_or(NaiveDate::MIN);
            (first, today)
        }
    };
    if from > to {
        return Err(bad_request("start_date must be <= end_date"));
    }
    if to > today {
        return Err(bad_request("Cannot query future dates"));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2025-10-30";

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn asked(start: Option<&str>, end: Option<&str>) -> Result<(NaiveDate, NaiveDate), Problem> {
        dates_asked(start, end, date(TODAY), 30)
    }

    #[test]
    fn without_dates_the_last_days_are_shown_and_one_date_is_a_day() {
        assert_eq!(asked(None, None), Ok((date("2025-09-30"), date(TODAY))));
        assert_eq!(asked(Some("2025-10-02"), None), Ok((date("2025-10-02"), date("2025-10-02"))));
        assert_eq!(asked(None, Some("2025-10-02")), Ok((date("2025-10-02"), date("2025-10-02"))));
        assert_eq!(asked(Some("2025-10-01"), Some(TODAY)), Ok((date("2025-10-01"), date(TODAY))));
    }

    #[test]
    fn wrong_dates_are_refused_in_the_original_words_and_order() {
        let format = bad_request("Invalid date format. Expected YYYY-MM-DD");
        assert_eq!(asked(Some("2025-1-1"), Some("2024-01-01")), Err(format.clone()));
        assert_eq!(asked(Some(""), None), Err(format.clone()));
        assert_eq!(asked(Some("2025-10-02"), Some("2025-02-30")), Err(format));
        let order = bad_request("start_date must be <= end_date");
        assert_eq!(asked(Some("2025-11-02"), Some("2025-11-01")), Err(order));
        let future = bad_request("Cannot query future dates");
        assert_eq!(asked(Some("2025-10-31"), None), Err(future.clone()));
        assert_eq!(asked(Some("2025-10-01"), Some("2025-10-31")), Err(future));
    }
}
