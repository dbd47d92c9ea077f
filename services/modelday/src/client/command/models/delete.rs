//! `modelday models delete`.

use clap::Args;

use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// Which model to remove.
#[derive(Args)]
pub(crate) struct DeleteArguments {
    /// The model.
    model: String,
    #[command(flatten)]
    connection: Connection,
}

/// Removes the model.
pub(super) async fn main(arguments: &DeleteArguments) -> anyhow::Result<Exit> {
    let model = &arguments.model;
    Api::new(&arguments.connection)?.delete(&["models", model]).await?;
    print_line(&format!("{model} is removed."))?;
    Ok(Exit::Done)
}
