//! Watching a job until it has ended, phase by phase.

use std::time::Duration;

use super::api::{Api, JobStatus};
use super::phase::Phase;

/// How often the job is looked at.
const EVERY: Duration = Duration::from_millis(150);

/// Shows the job's progress until it has ended.
#[expect(clippy::print_stdout, reason = "a command for people")]
pub(super) async fn follow(api: &Api, job: &str) -> anyhow::Result<JobStatus> {
    println!("Job {job}");
    let mut download: Option<Phase> = None;
    let mut days: Option<Phase> = None;
    loop {
        let status = api.status(job).await?;
        if let Some(progress) = &status.download
            && progress.symbols_total > 0
        {
            let bar = download.get_or_insert_with(|| Phase::new("Prices", "symbols", progress.symbols_total));
            bar.at(progress.symbols_done);
            if status.status != "downloading_data" {
                bar.finish();
            }
        }
        let progress = &status.progress;
        if status.status != "pending" && status.status != "downloading_data" {
            let bar = days.get_or_insert_with(|| Phase::new("Model-days", "days", progress.total_model_days));
            bar.at(progress.completed + progress.failed + progress.skipped);
        }
        if !matches!(status.status.as_str(), "pending" | "downloading_data" | "running") {
            if let Some(mut bar) = days {
                bar.finish();
            }
            return Ok(status);
        }
        tokio::time::sleep(EVERY).await;
    }
}
