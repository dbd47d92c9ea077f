//! The parameters of `GET /results`.

use axum::http::StatusCode;
use chrono::{Days, NaiveDate};
use domain::events::job_view::days::DayFigures;
use domain::job::request::{DEFAULT_EXPERIMENT, ValidationError};
use domain::values::date::parse_date;
use domain::values::ids::JobId;
use runtime::http::{Params, Problem};
use rust_decimal::Decimal;
use utoipa::ToSchema;

use crate::api::format::bad_request;

const DATE_REMOVED: &str = "Parameter 'date' has been removed. Use 'start_date' and/or 'end_date' instead.";

/// How much of a model's reasoning to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Reasoning {
    None,
    Summary,
    Full,
}

/// The price of the day at which a portfolio is valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Valuation {
    Open,
    Close,
}

impl Valuation {
    /// The value of a portfolio at the end of a day.
    pub(super) fn ending(self, day: &DayFigures) -> Decimal {
        match self {
            Self::Open => day.value_at_open,
            Self::Close => day.value_at_close,
        }
    }
}

pub(super) struct ResultsQuery {
    pub(super) job: Option<JobId>,
    pub(super) model: Option<String>,
    /// The first and the last date; `None` for those of the job.
    pub(super) dates: Option<(NaiveDate, NaiveDate)>,
    pub(super) reasoning: Reasoning,
    pub(super) valuation: Valuation,
    pub(super) experiment: Option<String>,
    pub(super) trial: u32,
}

pub(super) fn nothing_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "No trading data found for the specified filters")
}

impl ResultsQuery {
    pub(super) fn read(mut params: Params, today: NaiveDate, lookback_days: u32) -> Result<Self, Problem> {
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
        let dates = match dates {
            (None, None) if job.is_some() => None,
            (start, end) => Some(requested_dates(start.as_deref(), end.as_deref(), today, lookback_days)?),
        };
        // A text that is no job id finds nothing, like the id of an unknown job.
        let job = job.map(|id| id.parse().map_err(|_| nothing_found())).transpose()?;
        let experiment = experiment.or_else(|| job.is_none().then(|| DEFAULT_EXPERIMENT.to_owned()));
        let trial = u32::try_from(trial).unwrap_or_default();
        Ok(Self { job, model, dates, reasoning, valuation, experiment, trial })
    }
}

/// The requested dates: those given, a single one as both, or the last `lookback_days`.
fn requested_dates(
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

    fn requested(start: Option<&str>, end: Option<&str>) -> Result<(NaiveDate, NaiveDate), Problem> {
        requested_dates(start, end, date(TODAY), 30)
    }

    #[test]
    fn without_dates_the_last_days_are_shown_and_one_date_is_a_single_day() {
        assert_eq!(requested(None, None), Ok((date("2025-09-30"), date(TODAY))));
        assert_eq!(requested(Some("2025-10-02"), None), Ok((date("2025-10-02"), date("2025-10-02"))));
        assert_eq!(requested(None, Some("2025-10-02")), Ok((date("2025-10-02"), date("2025-10-02"))));
        assert_eq!(requested(Some("2025-10-01"), Some(TODAY)), Ok((date("2025-10-01"), date(TODAY))));
    }

    #[test]
    fn invalid_dates_are_refused_with_the_words_and_in_the_order_of_the_original_api() {
        let format = bad_request("Invalid date format. Expected YYYY-MM-DD");
        assert_eq!(requested(Some("2025-1-1"), Some("2024-01-01")), Err(format.clone()));
        assert_eq!(requested(Some(""), None), Err(format.clone()));
        assert_eq!(requested(Some("2025-10-02"), Some("2025-02-30")), Err(format));
        let order = bad_request("start_date must be <= end_date");
        assert_eq!(requested(Some("2025-11-02"), Some("2025-11-01")), Err(order));
        let future = bad_request("Cannot query future dates");
        assert_eq!(requested(Some("2025-10-31"), None), Err(future.clone()));
        assert_eq!(requested(Some("2025-10-01"), Some("2025-10-31")), Err(future));
    }
}
