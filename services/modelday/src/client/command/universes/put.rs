//! `modelday universes put`.

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::client::command::format::Format;
use crate::client::command::request::symbol;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// The universe to store.
#[derive(Args)]
pub(crate) struct PutArguments {
    /// Its name.
    name: String,
    /// Its symbols, separated by blanks or commas.
    #[arg(required = true, value_delimiter = ',', value_parser = symbol, value_name = "SYMBOL")]
    symbols: Vec<String>,
    /// The index fund that results are compared with; without it that of the default universe.
    #[arg(long, value_parser = symbol, value_name = "SYMBOL", conflicts_with = "no_benchmark")]
    benchmark: Option<String>,
    /// Compare results with no index fund.
    #[arg(long)]
    no_benchmark: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct StoredUniverse {
    name: String,
    version: u32,
    symbols: Vec<String>,
    benchmark: Option<String>,
}

/// Stores the universe.
pub(super) async fn main(arguments: &PutArguments) -> anyhow::Result<Exit> {
    let PutArguments { name, symbols, benchmark, no_benchmark, format, connection } = arguments;
    let mut members = json!({ "symbols": symbols });
    if benchmark.is_some() || *no_benchmark {
        members["benchmark"] = json!(benchmark);
    }
    let body = Api::new(connection)?.put(&["universes", name], &members).await?;
    if let Some(stored) = format.unless_json::<StoredUniverse>(&body)? {
        let StoredUniverse { name, version, symbols, benchmark } = stored;
        let benchmark = benchmark.unwrap_or_else(|| "none".to_owned());
        print_line(&format!("{name}: version {version}, {} symbols, benchmark {benchmark}", symbols.len()))?;
    }
    Ok(Exit::Done)
}
