//! What a report is made of, from the API.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::figures::Series;
use crate::client::http::{Api, ApiError};

/// Jobs whose bundles are downloaded for their hashes.
const MAX_BUNDLES: usize = 20;

/// Which portfolios are reported.
pub(crate) struct Selection {
    pub(crate) job: Option<String>,
    pub(crate) experiment: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) start: Option<String>,
    pub(crate) end: Option<String>,
}

/// All that a report shows.
pub(crate) struct Report {
    pub(super) job: Option<String>,
    pub(super) experiment: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) benchmark: Option<String>,
    pub(super) risk_free: f64,
    pub(super) rows: Vec<Row>,
    pub(super) comparisons: Vec<Comparison>,
    /// The days of each row that is a portfolio, by its place among the rows.
    pub(super) series: BTreeMap<usize, Series>,
    /// The benchmarks day by day; none when the server does not have them.
    pub(super) benchmarks: Vec<Benchmark>,
    pub(super) trades: Vec<Trade>,
    /// Hashes of the models' configurations, as they are now.
    pub(super) configurations: BTreeMap<String, String>,
    pub(super) bundles: Vec<Bundle>,
    /// How many jobs there are besides those of `bundles`.
    pub(super) more_jobs: usize,
}

/// A row of the leaderboard. Returns and drawdowns are fractions.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Row {
    /// Texts, so that numbers keep all their digits.
    members: BTreeMap<String, Box<RawValue>>,
}

/// Whether two models can be told apart.
#[derive(Deserialize)]
pub(super) struct Comparison {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) difference: Option<f64>,
    pub(super) distinguishable: Option<bool>,
    pub(super) p_adjusted: Option<f64>,
    pub(super) reason: Option<String>,
}

/// A benchmark: its gain since the beginning by date, as fractions.
pub(super) struct Benchmark {
    pub(super) name: String,
    pub(super) values: BTreeMap<NaiveDate, f64>,
}

#[derive(Deserialize)]
struct Curves {
    dates: Vec<NaiveDate>,
    curves: Vec<Curve>,
}

#[derive(Deserialize)]
struct Curve {
    kind: String,
    model: String,
    values: Vec<Option<f64>>,
}

/// A filled order.
#[derive(Deserialize)]
pub(super) struct Trade {
    pub(super) date: String,
    pub(super) model: String,
    pub(super) trial: u64,
    pub(super) action_type: String,
    pub(super) symbol: String,
    pub(super) quantity: u64,
    pub(super) price: f64,
    pub(super) fee: f64,
}

/// A job as one file.
pub(super) struct Bundle {
    pub(super) job: String,
    /// SHA-256 of the file, or why there is none.
    pub(super) hash: Result<String, String>,
}

#[derive(Deserialize)]
struct Board {
    experiment: String,
    start_date: Option<String>,
    end_date: Option<String>,
    benchmark: Option<String>,
    risk_free: f64,
    rows: Vec<Row>,
    comparisons: Vec<Comparison>,
}

#[derive(Deserialize)]
struct EquityRow {
    date: NaiveDate,
    job_id: String,
    model: String,
    trial: u64,
    value_at_close: f64,
    #[serde(rename = "return")]
    gain: Option<f64>,
}

#[derive(Deserialize)]
struct Models {
    models: Vec<ModelEntry>,
}

#[derive(Deserialize)]
struct ModelEntry {
    signature: String,
    config_hash: String,
}

impl Row {
    /// A figure, if it is known.
    pub(super) fn figure(&self, name: &str) -> Option<f64> {
        self.members.get(name)?.get().parse().ok()
    }

    /// Whether this is a portfolio, and no benchmark.
    pub(super) fn is_portfolio(&self) -> bool {
        self.read::<String>("kind").as_deref() != Some("benchmark")
    }

    /// The name of the model or the benchmark.
    pub(super) fn model(&self) -> String {
        self.read("model").unwrap_or_default()
    }

    /// The trial; a benchmark has none.
    pub(super) fn trial(&self) -> Option<u64> {
        self.read("trial")
    }

    /// Another member.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.members.get(name)?.get()).ok()
    }
}

impl Report {
    /// The name of a row; a trial is named where a model has several.
    pub(super) fn name(&self, row: &Row) -> String {
        let model = row.model();
        let is_other = |other: &&Row| other.is_portfolio() && other.model() == model;
        match row.trial() {
            Some(trial) if self.rows.iter().filter(is_other).count() > 1 => format!("{model} #{trial}"),
            Some(_) | None => model,
        }
    }
}

/// Reads all that the report shows.
pub(crate) async fn fetch(api: &Api, selection: &Selection) -> anyhow::Result<Report> {
    let Selection { job, experiment, models, start, end } = selection;
    let names = (!models.is_empty()).then(|| models.join(","));
    let of = [("job_id", job), ("experiment", experiment), ("start_date", start), ("end_date", end)];
    let mut query: Vec<(&str, String)> =
        of.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let table_query = query.clone();
    query.extend(names.map(|names| ("models", names)));
    let board: Board = api.get(&["leaderboard"], &query).await?.deserialize()?;
    ensure!(board.rows.iter().any(Row::is_portfolio), "there are no results to report; run a job first");
    query.push(("points", "10000".to_owned()));
    let benchmarks = benchmarks(api, &query).await?;
    let is_shown = |model: &str| board.rows.iter().any(|row| row.is_portfolio() && row.model() == model);
    let (mut series, mut jobs) = (BTreeMap::<usize, Series>::new(), BTreeSet::new());
    for row in table::<EquityRow>(api, "equity", &table_query).await? {
        let is_row = |known: &Row| {
            known.is_portfolio()
                && known.model() == row.model
                && known.trial().unwrap_or_default() == row.trial
        };
        let Some(place) = board.rows.iter().position(is_row) else { continue };
        let days = series.entry(place).or_default();
        days.dates.push(row.date);
        days.values.push(row.value_at_close);
        days.returns.push(row.gain.unwrap_or_default());
        jobs.insert(row.job_id);
    }
    let mut trades: Vec<Trade> = table(api, "trades", &table_query).await?;
    trades.retain(|trade| is_shown(&trade.model));
    let configured: Models = api.get(&["models"], &()).await?.deserialize()?;
    let configurations = configured.models.into_iter().filter(|model| is_shown(&model.signature));
    let configurations = configurations.map(|model| (model.signature, model.config_hash)).collect();
    let mut bundles = Vec::new();
    for job in jobs.iter().take(MAX_BUNDLES) {
        bundles.push(Bundle { job: job.clone(), hash: bundle_hash(api, job).await? });
    }
    Ok(Report {
        job: job.clone(),
        experiment: board.experiment,
        start: board.start_date.unwrap_or_default(),
        end: board.end_date.unwrap_or_default(),
        benchmark: board.benchmark,
        risk_free: board.risk_free,
        rows: board.rows,
        comparisons: board.comparisons,
        series,
        benchmarks,
        trades,
        configurations,
        more_jobs: jobs.len().saturating_sub(bundles.len()),
        bundles,
    })
}

/// The course of the benchmarks; a server without the route has none.
async fn benchmarks(api: &Api, query: &[(&str, String)]) -> Result<Vec<Benchmark>, ApiError> {
    let body = match api.get(&["leaderboard", "curves"], &query).await {
        Ok(body) => body,
        Err(ApiError::Problem(problem)) if problem.is_unknown_path() => return Ok(Vec::new()),
        Err(problem) => return Err(problem),
    };
    let Curves { dates, curves } = body.deserialize()?;
    let curves = curves.into_iter().filter(|curve| curve.kind == "benchmark");
    let benchmark = |curve: Curve| {
        let values = dates.iter().zip(curve.values).filter_map(|(date, value)| Some((*date, value?)));
        Benchmark { name: curve.model, values: values.collect() }
    };
    Ok(curves.map(benchmark).collect())
}

/// All rows of a table.
async fn table<R: DeserializeOwned>(
    api: &Api,
    name: &str,
    query: &[(&str, String)],
) -> anyhow::Result<Vec<R>> {
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.push(("limit", "10000".to_owned()));
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let mut page: Value = api.get(&[name], &query).await?.deserialize()?;
        rows.extend(serde_json::from_value::<Vec<R>>(page[name].take())?);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

/// The SHA-256 of a job's bundle as `modelday export --bundle` saves it. A job that goes on has none yet.
async fn bundle_hash(api: &Api, job: &str) -> Result<Result<String, String>, ApiError> {
    let mut response = match api.open(&["jobs", job, "bundle"], &(), &[]).await {
        Ok(response) => response,
        Err(ApiError::Problem(problem)) if problem.status < 500 => return Ok(Err(problem.detail)),
        Err(problem) => return Err(problem),
    };
    let mut hash = Sha256::new();
    while let Some(bytes) = api.chunk(&mut response).await? {
        hash.update(&bytes);
    }
    Ok(Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
