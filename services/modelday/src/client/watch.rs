//! `modelday watch`: a job until it has ended, whoever started it.

use clap::Args;

use super::api::{Answer, Api};
use super::connection::{Connection, Format};
use super::error::ApiError;
use super::exit::Exit;
use super::job::JobStatus;
use super::output::{print, print_line, tell};
use super::summary::summary;
use super::{follow, lines};

/// What to watch.
#[derive(Args)]
pub(crate) struct WatchArguments {
    /// The job.
    job: String,
    /// Print a line of JSON for each event instead of progress.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What is seen of a job meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// Bars, or lines.
    Progress,
    /// Each event as a line of JSON.
    Events,
    /// Nothing.
    Nothing,
}

impl Show {
    /// What is seen of a job whose end is shown in this format.
    pub(super) fn of(format: Format) -> Self {
        if format.json { Self::Nothing } else { Self::Progress }
    }
}

/// Shows the job until it has ended.
pub(super) async fn main(arguments: &WatchArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let job = &arguments.job;
    // What cannot be seen at first sight is a mistake, and not a restart to be waited for.
    look(&api, job).await?;
    if !arguments.json {
        print_line(&format!("Job {job}"))?;
    }
    let show = if arguments.json { Show::Events } else { Show::Progress };
    let Some((status, _)) = watch(&api, job, show).await? else { return Ok(Exit::Interrupted) };
    if !arguments.json {
        print(&summary(&api, job, &status).await?)?;
    }
    Ok(Exit::of_job(&status.status))
}

/// Shows the job until it has ended, and how it did; `None` when the person in front of it has seen enough.
pub(super) async fn watch(api: &Api, job: &str, show: Show) -> anyhow::Result<Option<(JobStatus, Answer)>> {
    let watched = async {
        match show {
            Show::Events => lines::print(api, job).await,
            Show::Progress => Ok(follow::with_progress(api, job).await?),
            Show::Nothing => Ok(follow::silently(api, job).await?),
        }
    };
    tokio::select! {
        ended = watched => Ok(Some(ended?)),
        signal = tokio::signal::ctrl_c() => {
            signal?;
            tell(&format!(
                "\nThe job goes on. Watch it again with `modelday watch {job}`; end it with `modelday cancel {job}`."
            ));
            Ok(None)
        }
    }
}

/// The job as it is.
pub(super) async fn look(api: &Api, job: &str) -> Result<(JobStatus, Answer), ApiError> {
    let answer = api.get(&["simulate", "status", job], &[("details", "false")]).await?;
    Ok((answer.read()?, answer))
}
