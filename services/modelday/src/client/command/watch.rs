//! `modelday watch`: a job until it has ended, no matter who started it.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::client::exit::Exit;
use crate::client::http::{Api, Connection, JobStatus};
use crate::client::watching::{Show, summary, watch};
use crate::completion;
use crate::terminal::output::{print, print_line};

/// Which job to watch, and how.
#[derive(Args)]
pub(crate) struct WatchArguments {
    /// The job.
    #[arg(add = ArgValueCompleter::new(completion::jobs))]
    job: String,
    /// Print a line of JSON for each event instead of progress.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Shows the job until it has ended.
pub(super) async fn main(arguments: &WatchArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let job = &arguments.job;
    // Watching retries errors that a restart explains. An error of the very first request is a mistake: report it.
    JobStatus::fetch(&api, job).await?;
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
