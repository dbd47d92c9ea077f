//! `modelday prices`: prices of one's own.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::api::Api;
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::output::{clean, print_line};

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

/// Stores all of the file or nothing of it.
pub(super) async fn import(arguments: &ImportArguments) -> anyhow::Result<Exit> {
    let csv = read(&arguments.file)?;
    let query = arguments.replace.then_some(("replace", "true"));
    let query: Vec<(&str, &str)> = query.into_iter().collect();
    let answer = Api::new(&arguments.connection)?.post_csv(&["prices", "import"], &query, csv).await?;
    if arguments.format.json {
        print_line(&answer.text)?;
    } else {
        print_line(&told(&answer.read()?))?;
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

/// What became of the file, a line for each figure.
fn told(answer: &Value) -> String {
    let figures = answer.as_object().into_iter().flatten();
    let lines = figures.filter_map(|(name, value)| {
        let value = match value {
            Value::Null => return None,
            Value::Object(range) => {
                let ends = ["from", "to"].map(|end| range.get(end).and_then(Value::as_str).unwrap_or("-"));
                ends.join(" to ")
            }
            Value::String(text) => text.clone(),
            Value::Array(list) => list.len().to_string(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
        };
        Some(format!("{:<15}{value}", name.replace('_', " ")))
    });
    clean(&lines.collect::<Vec<_>>().join("\n"))
}
