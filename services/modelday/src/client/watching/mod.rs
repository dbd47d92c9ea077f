//! Watching a job until it has ended: with progress bars, as lines of JSON, or in silence.

mod json_lines;
mod phase;
mod polling;
mod progress;
mod summary;

use super::http::{Api, JobStatus, ResponseBody};
use crate::terminal::output::note;
pub(super) use summary::summary;

/// What is printed while a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// Progress bars in a terminal, lines elsewhere.
    Progress,
    /// Each event as a line of JSON.
    Events,
    Nothing,
}

/// Watches the job until it has ended and returns its last status; `None` after Ctrl-C, which leaves the job running.
pub(super) async fn watch(
    api: &Api,
    job: &str,
    show: Show,
) -> anyhow::Result<Option<(JobStatus, ResponseBody)>> {
    let watched = async {
        match show {
            Show::Events => json_lines::print(api, job).await,
            Show::Progress => Ok(polling::with_progress(api, job).await?),
            Show::Nothing => Ok(polling::silently(api, job).await?),
        }
    };
    tokio::select! {
        ended = watched => Ok(Some(ended?)),
        signal = tokio::signal::ctrl_c() => {
            signal?;
            note(&format!(
                "\nThe job goes on. Watch it again with `modelday watch {job}`; end it with `modelday cancel {job}`."
            ));
            Ok(None)
        }
    }
}
