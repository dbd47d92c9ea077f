//! `modelday models`: the models that jobs may name.

mod delete;
mod list;
mod put;

use clap::{Args, Subcommand};

use super::list_options::ListOptions;
use crate::client::exit::Exit;

/// What to do; without it, the models are listed.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArguments {
    #[command(subcommand)]
    change: Option<ModelsCommand>,
    #[command(flatten)]
    list: ListOptions,
}

/// The commands that change models.
#[derive(Subcommand)]
enum ModelsCommand {
    /// Store the models of a file such as configs/models.toml, with the prompts and decisions that it names.
    Put(put::PutArguments),
    /// Remove a model that the API has stored; one of this name in the models file counts again.
    Delete(delete::DeleteArguments),
}

/// Runs the command.
pub(super) async fn main(arguments: &ModelsArguments) -> anyhow::Result<Exit> {
    match &arguments.change {
        None => list::main(&arguments.list).await,
        Some(ModelsCommand::Put(arguments)) => put::main(arguments).await,
        Some(ModelsCommand::Delete(arguments)) => delete::main(arguments).await,
    }
}
