//! `modelday prices`: the user's own prices.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;

use super::choice;
use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// The commands for prices.
#[derive(Subcommand)]
pub(crate) enum PricesCommand {
    /// Store daily prices from a CSV file, or splits, or dividends.
    Import(ImportArguments),
}

/// Which file to import.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// What it has: bars (symbol, date, open, high, low, close, volume), splits (symbol, date, ratio) or dividends
    /// (symbol, date, amount).
    #[arg(long, value_enum, default_value_t = FileKind::Bars)]
    kind: FileKind,
    /// Replace what is stored and differs.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileKind {
    Bars,
    Splits,
    Dividends,
}

/// Counts of the file's rows: each is new, unchanged or replaced.
#[derive(Deserialize)]
struct ImportResult {
    inserted: u64,
    unchanged: u64,
    replaced: u64,
    symbols: u64,
    dates: DateRange,
    #[serde(default)]
    stale_days: u64,
}

#[derive(Deserialize)]
struct DateRange {
    from: String,
    to: String,
}

/// Imports the whole file, or nothing when a row is wrong.
pub(super) async fn import(arguments: &ImportArguments) -> anyhow::Result<Exit> {
    let csv = read(&arguments.file)?;
    let kind_name = choice::name(arguments.kind);
    let kind = (arguments.kind != FileKind::Bars).then_some(("kind", kind_name.as_str()));
    let replace = arguments.replace.then_some(("replace", "true"));
    let query: Vec<(&str, &str)> = kind.into_iter().chain(replace).collect();
    let body = Api::new(&arguments.connection)?.post_csv(&["prices", "import"], &query, csv).await?;
    if let Some(result) = arguments.format.unless_json::<ImportResult>(&body)? {
        for line in result.lines(&kind_name) {
            print_line(&line)?;
        }
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

impl ImportResult {
    fn lines(&self, kind: &str) -> Vec<String> {
        let Self { inserted, unchanged, replaced, symbols, dates, stale_days } = self;
        let mut lines = vec![format!(
            "{kind}: {inserted} new, {unchanged} unchanged, {replaced} replaced (symbols: {symbols}; {} to {})",
            dates.from, dates.to
        )];
        if *stale_days > 0 {
            lines.push(format!(
                "{stale_days} model-days stand on what was stored before; `modelday run --reprocess-stale` runs them again."
            ));
        }
        lines
    }
}
