//! `modelday universes`: the universes that jobs may name.

use clap::Args;
use serde::Deserialize;

use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::grid::{exact, number, words};
use crate::terminal::table::{Table, TableOptions, cell, maybe};

/// How to list them.
#[derive(Args)]
pub(crate) struct UniverseListArguments {
    #[command(flatten)]
    table: TableOptions,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct Universes {
    universes: Vec<Universe>,
}

#[derive(Deserialize)]
struct Universe {
    name: String,
    is_default: bool,
    symbols: Vec<String>,
    benchmark: Option<String>,
    origin: String,
    version: u64,
}

/// Lists the universes.
pub(super) async fn main(arguments: &UniverseListArguments) -> anyhow::Result<Exit> {
    let body = Api::new(&arguments.connection)?.get(&["universes"], &()).await?;
    let Some(Universes { universes }) = arguments.format.unless_json(&body)? else { return Ok(Exit::Done) };
    let columns = [
        words("Universe"),
        exact("Default"),
        number("Symbols"),
        exact("Benchmark"),
        exact("Origin"),
        number("Version"),
    ];
    let mut table = Table::new(columns).with_more([words("Members")]);
    for universe in universes {
        table.row([
            cell(universe.name),
            cell(if universe.is_default { "yes" } else { "no" }),
            cell(universe.symbols.len().to_string()),
            maybe(universe.benchmark),
            cell(universe.origin),
            cell(universe.version.to_string()),
            cell(universe.symbols.join(" ")),
        ]);
    }
    table.print(&arguments.table)?;
    Ok(Exit::Done)
}
