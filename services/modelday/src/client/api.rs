//! The HTTP API as the client uses it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A Modelday that answers at some address.
pub(super) struct Api {
    base_url: String,
    client: reqwest::Client,
}

/// An accepted job.
#[derive(Deserialize)]
pub(super) struct Accepted {
    pub(super) job_id: String,
}

/// How far a job is.
#[derive(Deserialize)]
pub(super) struct JobStatus {
    pub(super) status: String,
    pub(super) progress: Progress,
    pub(super) date_range: Vec<String>,
    pub(super) models: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) warnings: Option<Vec<String>>,
    pub(super) total_duration_seconds: Option<f64>,
    pub(super) download: Option<Download>,
}

/// Model-days by state; the five add up to the total.
#[derive(Deserialize)]
pub(super) struct Progress {
    pub(super) total_model_days: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

/// How far the download is.
#[derive(Deserialize)]
pub(super) struct Download {
    pub(super) symbols_total: u64,
    pub(super) symbols_done: u64,
}

/// The leaderboard.
#[derive(Deserialize)]
pub(crate) struct Leaderboard {
    pub(crate) rows: Vec<Row>,
    #[serde(default)]
    pub(crate) models: Vec<Model>,
}

/// A model over its trials; fractions.
#[derive(Deserialize)]
pub(crate) struct Model {
    pub(crate) model: String,
    pub(crate) trials: u64,
    pub(crate) mean_return: Option<f64>,
    pub(crate) interval: Option<Interval>,
    #[serde(default)]
    pub(crate) reasons: BTreeMap<String, String>,
}

/// Where a mean lies, with the confidence `level`.
#[derive(Deserialize)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) level: f64,
}

/// One row of it.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) model: String,
    pub(crate) trial: Option<u64>,
    #[serde(rename = "return")]
    pub(crate) total_return: Option<f64>,
    pub(crate) final_value: Option<f64>,
    pub(crate) sharpe: Option<f64>,
    pub(crate) max_drawdown: Option<f64>,
    pub(crate) trades: Option<u64>,
    pub(crate) model_days: Option<u64>,
}

impl Api {
    pub(super) fn new(base_url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        Ok(Self { base_url: base_url.trim_end_matches('/').to_owned(), client })
    }

    pub(super) async fn trigger(&self, request: &Value) -> anyhow::Result<Accepted> {
        self.answer(self.client.post(format!("{}/simulate/trigger", self.base_url)).json(request)).await
    }

    pub(super) async fn status(&self, job: &str) -> anyhow::Result<JobStatus> {
        self.answer(self.client.get(format!("{}/simulate/status/{job}?details=false", self.base_url))).await
    }

    pub(super) async fn leaderboard(
        &self,
        experiment: &str,
        models: &[String],
        start: Option<&str>,
        end: Option<&str>,
    ) -> anyhow::Result<Leaderboard> {
        let mut query = vec![("experiment", experiment.to_owned()), ("models", models.join(","))];
        query.extend(start.map(|date| ("start_date", date.to_owned())));
        query.extend(end.map(|date| ("end_date", date.to_owned())));
        self.answer(self.client.get(format!("{}/leaderboard", self.base_url)).query(&query)).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> anyhow::Result<T> {
        let response = request.send().await.with_context(|| {
            format!("no answer from {}; is Modelday running? start it with `make run`", self.base_url)
        })?;
        let status = response.status();
        let body = response.text().await.context("reading the answer")?;
        if !status.is_success() {
            let problem: Value = serde_json::from_str(&body).unwrap_or_default();
            bail!("{}", problem["detail"].as_str().unwrap_or(&body));
        }
        serde_json::from_str(&body).context("the answer is not what this version expects")
    }
}
