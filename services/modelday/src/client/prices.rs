//! `modelday prices`: prices of one's own.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::api::Api;
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::output::print_line;

/// What to do with prices.
#[derive(Subcommand)]
pub(crate) enum PricesCommand {
    /// Store daily prices from a CSV file: symbol, date, open, high, low, close, volume.
    Import(ImportArguments),
}

/// What to store.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Replace prices that are stored and differ.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// What became of the file.
#[derive(Deserialize)]
struct Imported {
    bars_received: u64,
    inserted: u64,
    unchanged: u64,
    replaced: u64,
    symbols: u64,
    dates: Dates,
}

#[derive(Deserialize)]
struct Dates {
    from: String,
    to: String,
}

/// Stores all of the file or nothing of it.
pub(super) async fn import(arguments: &ImportArguments) -> anyhow::Result<Exit> {
    let csv = read(&arguments.file)?;
    let query = arguments.replace.then_some(("replace", "true"));
    let query: Vec<(&str, &str)> = query.into_iter().collect();
    let answer = Api::new(&arguments.connection)?.post_csv(&["prices", "import"], &query, csv).await?;
    if arguments.format.json {
        print_line(&answer.text)?;
    } else {
        print_line(&answer.read::<Imported>()?.told())?;
    }
    Ok(Exit::Done)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut csv = Vec::new();
        std::io::stdin().lock().read_to_end(&mut csv).context("reading standard input")?;
        return Ok(csv);
    }
    std::fs::read(file).with_context(|| format!("reading {}", file.display()))
}

impl Imported {
    fn told(&self) -> String {
        let Self { bars_received, inserted, unchanged, replaced, symbols, dates } = self;
        format!(
            "{bars_received} bars of {symbols} symbols, {} to {}: {inserted} new, {unchanged} unchanged, {replaced} replaced.",
            dates.from, dates.to
        )
    }
}
