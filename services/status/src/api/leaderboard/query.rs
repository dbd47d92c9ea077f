//! The parameters of a leaderboard.

use chrono::NaiveDate;
use domain::events::job_view::JobRequest;
use domain::job::request::DEFAULT_EXPERIMENT;
use domain::performance::benchmark::Dividends;
use runtime::http::{Params, Problem};

use crate::api::format::bad_request;
use crate::api::known_job::KnownJob;
use crate::api::state::Api;

/// Which portfolios over which dates, and how benchmarks are computed.
pub(super) struct LeaderboardQuery {
    pub(super) experiment: String,
    pub(super) models: Option<Vec<String>>,
    pub(super) from: Option<NaiveDate>,
    pub(super) to: Option<NaiveDate>,
    pub(super) daily_risk_free: f64,
    /// What becomes of the dividends of benchmarks.
    pub(super) dividends: Dividends,
    /// The request of the job whose portfolios are shown, if one is named.
    pub(super) job: Option<JobRequest>,
}

impl LeaderboardQuery {
    /// Reads the parameters and loads the job that they name.
    pub(super) async fn read(api: &Api, mut params: Params) -> Result<Self, Problem> {
        let (from, to) = (params.date("start_date"), params.date("end_date"));
        let (models, experiment) = (params.list("models"), params.filter("experiment"));
        let job = params.filter("job_id");
        let rate =
            params.read("risk_free", "float_parsing", "a number from -0.01 to 0.01, as 0.0001", daily_rate);
        let daily_risk_free = rate.unwrap_or_default();
        let flag = [("true", true), ("false", false)];
        let is_reinvested = params.choice("reinvest", &flag).unwrap_or_default();
        let is_price_only = params.choice("price_only", &flag).unwrap_or_default();
        params.finish()?;
        let dividends = match (is_price_only, is_reinvested) {
            (true, true) => return Err(bad_request("reinvest and price_only exclude each other")),
            (true, false) => Dividends::Ignored,
            (false, true) => Dividends::Reinvested,
            (false, false) => Dividends::Cash,
        };
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(bad_request("start_date must be <= end_date"));
        }
        let Some(id) = job else {
            let experiment = experiment.unwrap_or_else(|| DEFAULT_EXPERIMENT.to_owned());
            return Ok(Self { experiment, models, from, to, daily_risk_free, dividends, job: None });
        };
        let job = KnownJob::load(api, &id).await?.requested;
        let of_job = || job.models.iter().map(|model| model.signature.clone()).collect();
        Ok(Self {
            experiment: job.experiment.clone(),
            models: models.or_else(|| Some(of_job())),
            from: from.or(Some(job.start)),
            to: to.or(Some(job.end)),
            daily_risk_free,
            dividends,
            job: Some(job),
        })
    }
}

fn daily_rate(text: &str) -> Option<f64> {
    let number = serde_json::from_str(text).ok().filter(|_| text.trim() == text);
    number.filter(|rate| (-0.01..=0.01).contains(rate))
}
