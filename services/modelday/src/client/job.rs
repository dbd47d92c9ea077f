//! A job as the client reads it.

use serde::Deserialize;

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
    pub(super) error: Option<String>,
    pub(super) warnings: Option<Vec<String>>,
    pub(super) total_duration_seconds: Option<f64>,
    #[serde(default)]
    pub(super) waiting_for: Option<String>,
    #[serde(default)]
    pub(super) download: Option<Download>,
}

/// Model-days by state; with those that run and those that wait they add up to the total.
#[derive(Deserialize)]
pub(super) struct Progress {
    pub(super) total_model_days: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Progress {
    /// Those that nothing more happens to.
    pub(super) fn done(&self) -> u64 {
        self.completed + self.failed + self.skipped
    }
}

/// How far the download is.
#[derive(Deserialize)]
pub(super) struct Download {
    pub(super) symbols_total: u64,
    pub(super) symbols_done: u64,
}

impl JobStatus {
    /// Whether nothing more happens.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "pending" | "downloading_data" | "running")
    }
}
