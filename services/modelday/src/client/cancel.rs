//! `modelday cancel`.

use clap::Args;
use serde::Deserialize;

use super::api::Api;
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::output::print_line;

/// What to cancel.
#[derive(Args)]
pub(crate) struct CancelArguments {
    /// The job.
    job: String,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct Cancelled {
    status: String,
}

/// Cancels a job; what it has completed stays.
pub(super) async fn main(arguments: &CancelArguments) -> anyhow::Result<Exit> {
    let job = &arguments.job;
    let answer = Api::new(&arguments.connection)?.post(&["jobs", job, "cancel"], None, None).await?;
    if arguments.format.json {
        print_line(&answer.text)?;
    } else {
        let Cancelled { status } = answer.read()?;
        print_line(&format!("Job {job} is {status}."))?;
    }
    Ok(Exit::Done)
}
