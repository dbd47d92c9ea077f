//! `modelday universes`: the universes that jobs may name.

mod delete;
mod list;
mod put;

use clap::{Args, Subcommand};

use super::list_options::ListOptions;
use crate::client::exit::Exit;

/// What to do; without it, the universes are listed.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct UniversesArguments {
    #[command(subcommand)]
    change: Option<UniversesCommand>,
    #[command(flatten)]
    list: ListOptions,
}

/// The commands that change universes.
#[derive(Subcommand)]
enum UniversesCommand {
    /// Store a universe.
    Put(put::PutArguments),
    /// Remove a universe that the API has stored; one of this name in the universe file counts again.
    Delete(delete::DeleteArguments),
}

/// Runs the command.
pub(super) async fn main(arguments: &UniversesArguments) -> anyhow::Result<Exit> {
    match &arguments.change {
        None => list::main(&arguments.list).await,
        Some(UniversesCommand::Put(arguments)) => put::main(arguments).await,
        Some(UniversesCommand::Delete(arguments)) => delete::main(arguments).await,
    }
}
