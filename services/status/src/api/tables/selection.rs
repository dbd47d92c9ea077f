//! Which rows a request selects, and in which format.

use axum::http::HeaderMap;
use chrono::NaiveDate;
use domain::events::job_view::JobRequest;
use domain::job::request::{DEFAULT_EXPERIMENT, ValidationError};
use domain::values::ids::JobId;
use runtime::http::{Params, Problem};

use super::column::Numbers;
use super::format::{Format, accepted_format};
use crate::api::cursor::{self, Place};
use crate::api::format::bad_request;
use crate::api::known_job::KnownJob;
use crate::api::state::Api;

/// Rows of a JSON page by default.
const DEFAULT_PAGE: i64 = 1_000;

/// Most rows of a JSON page.
const MAX_PAGE: i64 = 10_000;

/// Earliest date that a request can name.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(0, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// Latest date that a request can name.
const LAST: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

pub(super) struct Selection {
    pub(super) format: Format,
    pub(super) numbers: Numbers,
    pub(super) experiment: String,
    pub(super) job: Option<(JobId, JobRequest)>,
    pub(super) model: Option<String>,
    pub(super) trial: Option<u32>,
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// Only rows after this one.
    pub(super) after: Option<Place>,
}

impl Selection {
    /// Reads the parameters and loads the job that they name.
    pub(super) async fn read(api: &Api, headers: &HeaderMap, mut params: Params) -> Result<Self, Problem> {
        let limit = params.number("limit", 1, MAX_PAGE);
        let page =
            Format::Json { limit: usize::try_from(limit.unwrap_or(DEFAULT_PAGE)).unwrap_or(usize::MAX) };
        let formats = [("json", page), ("csv", Format::Csv), ("parquet", Format::Parquet)];
        let format = params.choice("format", &formats).unwrap_or_else(|| accepted_format(headers, page));
        let numbers = params.choice("numbers", &[("exact", Numbers::Exact), ("float", Numbers::Float)]);
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
        let numbers = numbers.unwrap_or_default();
        Ok(Self { format, numbers, experiment, job, model, trial, from, to, after })
    }
}
