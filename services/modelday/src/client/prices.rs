//! `modelday prices`: prices of one's own.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;

use super::api::Api;
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::output::print_line;

/// What to do with prices.
#[derive(Subcommand)]
pub(crate) enum PricesCommand {
    /// Store daily prices from a CSV file, or splits, or dividends.
    Import(ImportArguments),
}

/// What to store.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// What it has: bars (symbol, date, open, high, low, close, volume), splits (symbol, date, ratio) or dividends
    /// (symbol, date, amount).
    #[arg(long, value_enum, default_value_t = Kind::Bars)]
    kind: Kind,
    /// Replace what is stored and differs.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// What a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Bars,
    Splits,
    Dividends,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Splits => "splits",
            Self::Dividends => "dividends",
        }
    }
}

/// What became of the file. Every row is new, unchanged or replaced.
#[derive(Deserialize)]
struct Imported {
    inserted: u64,
    unchanged: u64,
    replaced: u64,
    symbols: u64,
    dates: Dates,
    #[serde(default)]
    stale_days: u64,
}

#[derive(Deserialize)]
struct Dates {
    from: String,
    to: String,
}

/// Stores all of the file or nothing of it.
pub(super) async fn import(arguments: &ImportArguments) -> anyhow::Result<Exit> {
    let csv = read(&arguments.file)?;
    let kind = (arguments.kind != Kind::Bars).then(|| ("kind", arguments.kind.as_str()));
    let replace = arguments.replace.then_some(("replace", "true"));
    let query: Vec<(&str, &str)> = kind.into_iter().chain(replace).collect();
    let answer = Api::new(&arguments.connection)?.post_csv(&["prices", "import"], &query, csv).await?;
    if arguments.format.json {
        print_line(&answer.text)?;
    } else {
        for line in answer.read::<Imported>()?.told(arguments.kind) {
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

impl Imported {
    fn told(&self, kind: Kind) -> Vec<String> {
        let Self { inserted, unchanged, replaced, symbols, dates, stale_days } = self;
        let mut lines = vec![format!(
            "{}: {inserted} new, {unchanged} unchanged, {replaced} replaced (symbols: {symbols}; {} to {})",
            kind.as_str(),
            dates.from,
            dates.to
        )];
        if *stale_days > 0 {
            lines.push(format!(
                "{stale_days} model-days stand on what was stored before; `modelday run --reprocess-stale` runs them again."
            ));
        }
        lines
    }
}
