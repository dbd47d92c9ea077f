//! `modelday export`: a job, or tables of what came of it, as a file.

mod bundle;
mod file;
mod table;

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use super::api::Api;
use super::connection::Connection;
use super::exit::Exit;

/// What to save.
#[derive(Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct ExportArguments {
    /// The job as one file, from which its days can be run again anywhere; it must have ended.
    #[arg(long, value_name = "JOB", group = "what")]
    bundle: Option<String>,
    /// Every trade.
    #[arg(long, group = "what")]
    trades: bool,
    /// What was held at the end of each day.
    #[arg(long, group = "what")]
    positions: bool,
    /// What each portfolio was worth, day by day.
    #[arg(long, group = "what")]
    equity: bool,
    /// Form of a table; without it the one that the file's name says, or else CSV.
    #[arg(long, conflicts_with = "bundle")]
    format: Option<TableFormat>,
    /// Where to save it. Without it a bundle goes to `modelday-JOB.jsonl.gz` here, a table to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    connection: Connection,
}

/// Which rows a table has; those of a bundle are the job's.
#[derive(Args)]
struct Filter {
    /// Only what this job ran.
    #[arg(long, conflicts_with = "bundle")]
    job: Option<String>,
    /// Only this model.
    #[arg(long, conflicts_with = "bundle")]
    model: Option<String>,
    /// Name of the experiment.
    #[arg(long, conflicts_with = "bundle")]
    experiment: Option<String>,
    /// Of this trial.
    #[arg(long, conflicts_with = "bundle")]
    trial: Option<u32>,
    /// First date, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", conflicts_with = "bundle")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", conflicts_with = "bundle")]
    end: Option<String>,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// Comma-separated values with a head.
    Csv,
    /// Apache Parquet, with exact decimals.
    Parquet,
    /// One JSON document.
    Json,
}

/// Saves it, whole or not at all.
pub(super) async fn main(arguments: &ExportArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let ExportArguments { bundle, trades, positions, output, .. } = arguments;
    if let Some(job) = bundle {
        bundle::save(&api, job, output.as_deref()).await?;
        return Ok(Exit::Done);
    }
    let name = match (trades, positions) {
        (true, _) => "trades",
        (false, true) => "positions",
        (false, false) => "equity",
    };
    let format = arguments.format.or_else(|| TableFormat::of(output.as_deref()?));
    let format = format.unwrap_or(TableFormat::Csv);
    table::save(&api, &table::Table { name, format, query: arguments.filter.query() }, output.as_deref())
        .await?;
    Ok(Exit::Done)
}

impl Filter {
    fn query(&self) -> Vec<(&'static str, String)> {
        let Self { job, model, experiment, trial, start, end } = self;
        let trial = trial.map(|trial| trial.to_string());
        let pairs = [
            ("job_id", job.clone()),
            ("model", model.clone()),
            ("experiment", experiment.clone()),
            ("trial", trial),
            ("start_date", start.clone()),
            ("end_date", end.clone()),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl TableFormat {
    /// What a file of this name holds.
    fn of(file: &std::path::Path) -> Option<Self> {
        Self::from_str(file.extension()?.to_str()?, true).ok()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Json => "json",
        }
    }
}
