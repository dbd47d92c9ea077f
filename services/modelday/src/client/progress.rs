//! Watching a job: one progress bar per phase.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::api::{Api, JobStatus};

/// How often the job is looked at.
const EVERY: Duration = Duration::from_millis(150);

/// Shows the job's progress until it has ended.
#[expect(clippy::print_stdout, reason = "a command for people")]
pub(super) async fn follow(api: &Api, job: &str) -> anyhow::Result<JobStatus> {
    println!("Job {job}");
    let mut download: Option<ProgressBar> = None;
    let mut days: Option<ProgressBar> = None;
    loop {
        let status = api.status(job).await?;
        if let Some(progress) = &status.download
            && progress.symbols_total > 0
        {
            let bar = download.get_or_insert_with(|| phase("Prices", "symbols", progress.symbols_total));
            bar.set_position(progress.symbols_done);
            if status.status != "downloading_data" && !bar.is_finished() {
                bar.finish();
            }
        }
        let progress = &status.progress;
        if status.status != "pending" && status.status != "downloading_data" {
            let bar = days.get_or_insert_with(|| phase("Model-days", "days", progress.total_model_days));
            bar.set_position(progress.completed + progress.failed + progress.skipped);
        }
        if !matches!(status.status.as_str(), "pending" | "downloading_data" | "running") {
            if let Some(bar) = days {
                bar.finish();
            }
            return Ok(status);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn phase(name: &'static str, unit: &'static str, total: u64) -> ProgressBar {
    let template = format!("  {{msg:<11}} [{{bar:40}}] {{pos}}/{{len}} {unit}  {{elapsed}}");
    let style = ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(total).with_style(style).with_message(name)
}
