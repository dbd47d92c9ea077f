//! `modelday universes delete`.

use clap::Args;

use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// Which universe to remove.
#[derive(Args)]
pub(crate) struct DeleteArguments {
    /// The universe.
    name: String,
    #[command(flatten)]
    connection: Connection,
}

/// Removes the universe.
pub(super) async fn main(arguments: &DeleteArguments) -> anyhow::Result<Exit> {
    let name = &arguments.name;
    Api::new(&arguments.connection)?.delete(&["universes", name]).await?;
    print_line(&format!("{name} is removed."))?;
    Ok(Exit::Done)
}
