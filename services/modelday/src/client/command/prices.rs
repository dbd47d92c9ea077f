//! `modelday prices`: the user's own prices.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use domain::ingest::import::ImportKind;
use serde::Deserialize;

use super::choice;
use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// The commands for prices.
#[derive(Subcommand)]
pub(crate) enum PricesCommand {
    /// Store daily prices from files as vendors write them, or splits, dividends and other corporate actions.
    Import(ImportArguments),
}

/// Which files to import, and what they have.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// The files; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What they have: bars (CSV, JSON or Parquet), or as CSV: splits (symbol, date, ratio), dividends (symbol, date,
    /// amount), spin_offs (symbol, date, ratio, new_symbol), renames (symbol, date, new_symbol), mergers (symbol, date,
    /// and ratio and new_symbol, or amount, or all of them) or delistings (symbol, date, and the amount that is paid for a
    /// share).
    #[arg(long, value_parser = kind, default_value_t = ImportKind::Bars)]
    kind: ImportKind,
    /// The symbol of bars in files without a column for it; a file's name may say it too, e.g. AAPL.csv.
    #[arg(long)]
    symbol: Option<String>,
    /// What the prices of bars are based on; by default as the file's columns tell.
    #[arg(long, value_enum)]
    basis: Option<Basis>,
    /// The order of dates such as 10/02/2025, when no row tells it.
    #[arg(long, value_enum)]
    dates: Option<DateOrder>,
    /// What stands before decimal places, when no row tells it.
    #[arg(long, value_enum)]
    decimal: Option<DecimalMark>,
    /// Import the splits and dividends too that stand in columns of files of bars, such as Stock Splits or divCash.
    #[arg(long)]
    with_actions: bool,
    /// Replace what is stored and differs.
    #[arg(long)]
    replace: bool,
    /// Store nothing, and say what would be stored.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

fn kind(text: &str) -> Result<ImportKind, String> {
    let known = || format!("it is one of {}", ImportKind::ALL.map(ImportKind::as_str).join(", "));
    ImportKind::parse(text).ok_or_else(known)
}

/// What prices are based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Basis {
    /// The prices of the time.
    Raw,
    /// Divided by each later split.
    SplitAdjusted,
    /// Adjusted for splits and dividends.
    TotalReturn,
}

/// The order of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DateOrder {
    /// Month, day, year.
    Mdy,
    /// Day, month, year.
    Dmy,
}

/// The mark before decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DecimalMark {
    Point,
    Comma,
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
    basis: Option<String>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    stale_days: u64,
    #[serde(default)]
    splits_received: u64,
    #[serde(default)]
    dividends_received: u64,
}

#[derive(Deserialize)]
struct DateRange {
    from: String,
    to: String,
}

/// Imports the files one after another, each whole, or not at all when a row is wrong.
pub(super) async fn import(arguments: &ImportArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let kind = arguments.kind.as_str();
    for file in &arguments.files {
        let content = read(file)?;
        let imported = api.post_file(&["prices", "import"], &arguments.query(file), content).await;
        let body = match imported {
            Err(error) if arguments.files.len() > 1 => {
                return Err(anyhow::Error::from(error).context(file.display().to_string()));
            }
            imported => imported?,
        };
        if let Some(result) = arguments.format.unless_json::<ImportResult>(&body)? {
            let of_file =
                if arguments.files.len() > 1 { format!("{}: ", file.display()) } else { String::new() };
            for line in result.lines(kind) {
                print_line(&format!("{of_file}{line}"))?;
            }
        }
    }
    Ok(Exit::Done)
}

impl ImportArguments {
    fn query(&self, file: &Path) -> Vec<(&'static str, String)> {
        let is_bars = self.kind == ImportKind::Bars;
        let name = file.file_name().and_then(OsStr::to_str).filter(|_| is_bars && file != Path::new("-"));
        let yes = |flag: bool| flag.then(|| "true".to_owned());
        let parameters = [
            ("kind", (!is_bars).then(|| self.kind.as_str().to_owned())),
            ("symbol", self.symbol.clone()),
            ("file_name", name.map(str::to_owned)),
            ("basis", self.basis.map(choice::name).map(|name| name.replace('-', "_"))),
            ("dates", self.dates.map(choice::name)),
            ("decimal", self.decimal.map(choice::name)),
            ("actions", yes(self.with_actions)),
            ("replace", yes(self.replace)),
            ("dry_run", yes(self.dry_run)),
        ];
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin().lock().read_to_end(&mut content).context("reading standard input")?;
        return Ok(content);
    }
    std::fs::read(file).with_context(|| format!("reading {}", file.display()))
}

impl ImportResult {
    fn lines(&self, kind: &str) -> Vec<String> {
        let Self { inserted, unchanged, replaced, symbols, dates, basis, notes, dry_run, stale_days, .. } =
            self;
        // Raw is what prices are unless something is said.
        let basis = basis.as_ref().filter(|basis| *basis != "raw");
        let basis = basis.map(|basis| format!("; basis: {basis}")).unwrap_or_default();
        let mut lines = vec![format!(
            "{kind}: {inserted} new, {unchanged} unchanged, {replaced} replaced (symbols: {symbols}; {} to {}{basis})",
            dates.from, dates.to
        )];
        if kind == ImportKind::Bars.as_str() && self.splits_received + self.dividends_received > 0 {
            let (splits, dividends) = (self.splits_received, self.dividends_received);
            lines.push(format!("With {splits} splits and {dividends} dividends of the file."));
        }
        lines.extend(notes.iter().cloned());
        if *dry_run {
            lines.push("Nothing was stored; without --dry-run it is.".to_owned());
        }
        if *stale_days > 0 {
            lines.push(format!(
                "{stale_days} model-days stand on what was stored before; `modelday run --reprocess-stale` runs them again."
            ));
        }
        lines
    }
}
