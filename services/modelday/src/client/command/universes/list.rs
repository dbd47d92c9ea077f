//! `modelday universes`: the universes that jobs may name.

use serde::Deserialize;

use super::super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::table::{Table, cell, maybe};

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
pub(super) async fn main(options: &ListOptions) -> anyhow::Result<Exit> {
    let Some(Universes { universes }) = options.get(&["universes"], &()).await? else {
        return Ok(Exit::Done);
    };
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
    options.print(table)?;
    Ok(Exit::Done)
}
