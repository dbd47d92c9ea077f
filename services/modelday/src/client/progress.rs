//! How far a job is, phase by phase, whoever looks at it and in whatever way.

use super::job::JobStatus;
use super::output::{clean, tell};
use super::phase::Phase;

/// The progress of one job on the terminal.
#[derive(Default)]
pub(super) struct Progress {
    download: Option<Phase>,
    days: Option<Phase>,
    waiting_for: Option<String>,
}

impl Progress {
    /// Shows the job as it is.
    pub(super) fn show(&mut self, status: &JobStatus) {
        if let Some(download) = &status.download
            && download.symbols_total > 0
        {
            let (done, total) = (download.symbols_done, download.symbols_total);
            let phase = self.download.get_or_insert_with(|| Phase::new("Prices", "symbols"));
            if status.status == "downloading_data" { phase.at(done, total) } else { phase.finish(total) }
        }
        if status.waiting_for != self.waiting_for {
            self.waiting_for.clone_from(&status.waiting_for);
            if let Some(what) = &self.waiting_for {
                self.note(&format!("waiting for {what}"));
            }
        }
        if !matches!(status.status.as_str(), "pending" | "downloading_data") {
            let progress = &status.progress;
            let phase = self.days.get_or_insert_with(|| Phase::new("Model-days", "days"));
            let (done, total) = (progress.done(), progress.total_model_days);
            if status.has_ended() { phase.finish(total) } else { phase.at(done, total) }
        }
    }

    /// Says something beside it.
    pub(super) fn note(&self, text: &str) {
        let text = format!("  {}", clean(text));
        match self.days.as_ref().or(self.download.as_ref()) {
            Some(phase) => phase.note(&text),
            None => tell(&text),
        }
    }
}
