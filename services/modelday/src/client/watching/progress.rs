//! A job's progress on the terminal, phase by phase.

use super::phase::Phase;
use crate::client::http::JobStatus;
use crate::terminal::output::note;

/// What the terminal shows of one job.
#[derive(Default)]
pub(super) struct Progress {
    download: Option<Phase>,
    days: Option<Phase>,
    waiting_for: Option<String>,
    paused: Vec<String>,
}

impl Progress {
    /// Updates the terminal to the job's status.
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
            if let Some(cause) = &self.waiting_for {
                self.note(&format!("waiting for {cause}"));
                if let Some(waiting) = &status.waiting {
                    self.note(&waiting.message);
                }
            }
        }
        let paused: Vec<String> = status.paused.iter().map(|pause| pause.message.clone()).collect();
        if paused != self.paused {
            paused.iter().filter(|pause| !self.paused.contains(pause)).for_each(|pause| self.note(pause));
            if paused.is_empty() && !status.has_ended() {
                self.note("nothing that it waits for is paused any more");
            }
            self.paused = paused;
        }
        if !matches!(status.status.as_str(), "pending" | "downloading_data") {
            let progress = &status.progress;
            let phase = self.days.get_or_insert_with(|| Phase::new("Model-days", "days"));
            let (done, total) = (progress.done(), progress.total_model_days);
            if status.has_ended() { phase.finish(total) } else { phase.at(done, total) }
        }
    }

    /// Prints a line above the progress.
    pub(super) fn note(&self, text: &str) {
        let text = format!("  {text}");
        match self.days.as_ref().or(self.download.as_ref()) {
            Some(phase) => phase.note(&text),
            None => note(&text),
        }
    }
}
