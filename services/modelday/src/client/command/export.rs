//! `modelday export`: a job as a bundle, or a table of results, in a file.

mod bundle;
mod partial_file;
mod table;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use clap_complete::ArgValueCompleter;

use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::completion;
use crate::replay::bundle_file::BundleLimit;
use table::{Table, TableFormat};

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
    /// The holdings at the end of each day.
    #[arg(long, group = "what")]
    positions: bool,
    /// The value of each portfolio, day by day.
    #[arg(long, group = "what")]
    equity: bool,
    /// Format of a table. Without it, the extension of the file's name decides, or else CSV.
    #[arg(long, conflicts_with = "bundle")]
    format: Option<TableFormat>,
    /// Where to save it. Without it a bundle goes to `modelday-JOB.jsonl.gz` here, a table to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    limit: BundleLimit,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    connection: Connection,
}

/// Which rows a table has. A bundle has no filter: it is one whole job.
#[derive(Args)]
struct Filter {
    /// Only what this job ran.
    #[arg(long, conflicts_with = "bundle")]
    job: Option<String>,
    /// Only this model.
    #[arg(long, add = ArgValueCompleter::new(completion::models), conflicts_with = "bundle")]
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

/// Saves the whole file, or none.
pub(super) async fn main(arguments: &ExportArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let ExportArguments { bundle, trades, positions, output, .. } = arguments;
    if let Some(job) = bundle {
        bundle::save(&api, job, output.as_deref(), arguments.limit).await?;
        return Ok(Exit::Done);
    }
    let name = match (trades, positions) {
        (true, _) => "trades",
        (false, true) => "positions",
        (false, false) => "equity",
    };
    let format = arguments.format.or_else(|| TableFormat::of_file(output.as_deref()?));
    let format = format.unwrap_or(TableFormat::Csv);
    let table = Table { name, format, query: arguments.filter.query() };
    table::save(&api, &table, output.as_deref()).await?;
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
