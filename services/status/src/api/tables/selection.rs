//! Which rows were asked for, and in which form.

use axum::http::{HeaderMap, header};
use chrono::NaiveDate;
use domain::events::job_view::Requested;
use domain::job::request::{DEFAULT_EXPERIMENT, ValidationError};
use domain::values::ids::JobId;
use runtime::http::{Params, Problem};
use utoipa::ToSchema;

use super::{csv, parquet};
use crate::api::cursor::{self, Place};
use crate::api::view::KnownJob;
use crate::api::{Api, bad_request};

/// Rows of a JSON page when nothing else is asked for.
const PAGE: i64 = 1_000;

/// Most rows of a JSON page.
const LARGEST_PAGE: i64 = 10_000;

/// No date that can be asked for is before it.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(0, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// No date that can be asked for is after it.
const LAST: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A page.
    Json {
        /// Most rows.
        limit: usize,
    },
    /// All rows.
    Csv,
    /// All rows.
    Parquet,
}

/// The values of `format`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes")]
pub(crate) enum FormatName {
    Json,
    Csv,
    Parquet,
}

/// What was asked for.
pub(super) struct Selection {
    pub(super) format: Format,
    pub(super) experiment: String,
    pub(super) job: Option<(JobId, Requested)>,
    pub(super) model: Option<String>,
    pub(super) trial: Option<u32>,
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// After this row.
    pub(super) after: Option<Place>,
}

impl Selection {
    /// Reads the request.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) async fn read(api: &Api, headers: &HeaderMap, mut params: Params) -> Result<Self, Problem> {
        let limit = params.number("limit", 1, LARGEST_PAGE);
        let page = Format::Json { limit: usize::try_from(limit.unwrap_or(PAGE)).unwrap_or(usize::MAX) };
        let formats = [("json", page), ("csv", Format::Csv), ("parquet", Format::Parquet)];
        let format = params.choice("format", &formats).unwrap_or_else(|| accepted(headers, page));
        let after =
            params.read("cursor", "value_error", "the next_cursor of an earlier answer", cursor::place);
        let (from, to) = (params.date("start_date"), params.date("end_date"));
        let trial =
            params.number("trial", 0, i64::from(i32::MAX)).and_then(|trial| u32::try_from(trial).ok());
        let (job, model) = (params.filter("job_id"), params.filter("model"));
        let experiment = params.filter("experiment");
        let paged =
            ["limit", "cursor"].into_iter().find_map(|name| Some((name, params.text(name)?.to_owned())));
        params.finish()?;
        if let (Format::Csv | Format::Parquet, Some((name, input))) = (format, paged) {
            let wrong = "A file has all rows; pages are of format=json";
            let error = ValidationError::value(vec!["query".into(), name.into()], wrong, input.into());
            return Err(Problem::validation(vec![error]));
        }
        let (from, to) = (from.unwrap_or(FIRST), to.unwrap_or(LAST));
        if from > to {
            return Err(bad_request("start_date must be <= end_date"));
        }
        let job = match job {
            Some(id) => Some(KnownJob::load(api, &id).await?),
            None => None,
        };
        let job = job.map(|job| (job.id, job.requested));
        let of_job = job.as_ref().map(|(_, requested)| requested.experiment.clone());
        let experiment = experiment.or(of_job).unwrap_or_else(|| DEFAULT_EXPERIMENT.to_owned());
        Ok(Self { format, experiment, job, model, trial, from, to, after })
    }
}

/// The first form that the client names among those it accepts; a page, when it names none of ours.
fn accepted(headers: &HeaderMap, page: Format) -> Format {
    let ours = [("application/json", page), (csv::NAME, Format::Csv), (parquet::MEDIA_TYPE, Format::Parquet)];
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut named = values
        .flat_map(|value| value.split(','))
        .map(|named| named.split(';').next().unwrap_or(named).trim());
    named
        .find_map(|named| ours.iter().find(|(name, _)| named.eq_ignore_ascii_case(name)))
        .map_or(page, |(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Format {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        accepted(&headers, Format::Json { limit: 7 })
    }

    #[test]
    fn the_client_may_name_the_form_it_accepts() {
        assert_eq!(of("text/csv"), Format::Csv);
        assert_eq!(of("text/html, application/vnd.apache.parquet;q=0.9, text/csv"), Format::Parquet);
        assert_eq!(of("application/json, text/csv"), Format::Json { limit: 7 });
        assert_eq!(of("*/*"), Format::Json { limit: 7 });
        assert_eq!(accepted(&HeaderMap::new(), Format::Csv), Format::Csv);
    }
}
