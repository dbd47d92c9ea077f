//! `modelday cancel`.

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde::Deserialize;

use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::completion;
use crate::terminal::output::print_line;

/// Which job to cancel.
#[derive(Args)]
pub(crate) struct CancelArguments {
    /// The job.
    #[arg(add = ArgValueCompleter::new(completion::jobs))]
    job: String,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct CancelledJob {
    status: String,
}

/// Cancels the job; what it has completed stays.
pub(super) async fn main(arguments: &CancelArguments) -> anyhow::Result<Exit> {
    let job = &arguments.job;
    let body = Api::new(&arguments.connection)?.post(&["jobs", job, "cancel"], None, None).await?;
    if let Some(CancelledJob { status }) = arguments.format.unless_json(&body)? {
        print_line(&format!("Job {job} is {status}."))?;
    }
    Ok(Exit::Done)
}
