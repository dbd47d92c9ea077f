//! A job as the API describes it.

use serde::Deserialize;

use super::api::{Api, ResponseBody};
use super::error::ApiError;

/// An accepted job.
#[derive(Deserialize)]
pub(crate) struct AcceptedJob {
    pub(crate) job_id: String,
}

/// State and progress of a job.
#[derive(Deserialize)]
pub(crate) struct JobStatus {
    pub(crate) status: String,
    pub(crate) progress: ModelDayCounts,
    pub(crate) error: Option<String>,
    pub(crate) warnings: Option<Vec<String>>,
    /// The codes of the warnings, in their order.
    #[serde(default)]
    pub(crate) warning_codes: Option<Vec<String>>,
    pub(crate) total_duration_seconds: Option<f64>,
    #[serde(default)]
    pub(crate) waiting_for: Option<String>,
    #[serde(default)]
    pub(crate) waiting: Option<Waiting>,
    /// What is paused that it waits for.
    #[serde(default)]
    pub(crate) paused: Vec<Waiting>,
    #[serde(default)]
    pub(crate) download: Option<DownloadProgress>,
    /// Where its trace is shown.
    #[serde(default)]
    pub(crate) trace_url: Option<String>,
}

/// What a job waits for.
#[derive(Deserialize)]
pub(crate) struct Waiting {
    pub(crate) message: String,
}

/// Model-days by state. The total also has those that run and those that wait.
#[derive(Deserialize)]
pub(crate) struct ModelDayCounts {
    pub(crate) total_model_days: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl ModelDayCounts {
    /// Model-days in a terminal state.
    pub(crate) fn done(&self) -> u64 {
        self.completed + self.failed + self.skipped
    }
}

/// How many of its symbols a job has downloaded.
#[derive(Deserialize)]
pub(crate) struct DownloadProgress {
    pub(crate) symbols_total: u64,
    pub(crate) symbols_done: u64,
}

impl JobStatus {
    /// The job's status now, with the response it was read from.
    pub(crate) async fn fetch(api: &Api, job: &str) -> Result<(Self, ResponseBody), ApiError> {
        let body = api.get(&["simulate", "status", job], &[("details", "false")]).await?;
        Ok((body.deserialize()?, body))
    }

    /// Whether the job is in a terminal state.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "pending" | "downloading_data" | "running")
    }
}
