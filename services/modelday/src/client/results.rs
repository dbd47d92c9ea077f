//! `modelday results`: what the models did and what came of it.

mod day;
mod range;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::api::Api;
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::output::{print, print_line, width};

/// Which results to show.
#[derive(Args)]
pub(crate) struct ResultsArguments {
    /// First date, YYYY-MM-DD; alone, the only one. Without dates, the last 30 days.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD; alone, the only one.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// Only what this job ran.
    #[arg(long)]
    job: Option<String>,
    /// Only this model.
    #[arg(long)]
    model: Option<String>,
    /// Name of the experiment.
    #[arg(long)]
    experiment: Option<String>,
    /// Of this trial; 0 without it.
    #[arg(long)]
    trial: Option<u32>,
    /// How much of what the models said; of one date.
    #[arg(long, value_name = "HOW MUCH")]
    reasoning: Option<Reasoning>,
    /// At which price of the day a range is valued.
    #[arg(long, value_name = "PRICE")]
    valuation: Option<Valuation>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reasoning {
    None,
    Summary,
    Full,
}

#[derive(Clone, Copy, ValueEnum)]
enum Valuation {
    Open,
    Close,
}

/// Either form of the answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Results {
    Days { results: Vec<day::Day> },
    Series { results: Vec<range::Series> },
}

/// Shows results.
pub(super) async fn main(arguments: &ResultsArguments) -> anyhow::Result<Exit> {
    let trial = arguments.trial.map(|trial| trial.to_string());
    let query = [
        ("start_date", &arguments.start),
        ("end_date", &arguments.end),
        ("job_id", &arguments.job),
        ("model", &arguments.model),
        ("experiment", &arguments.experiment),
        ("trial", &trial),
        ("reasoning", &arguments.reasoning.map(name)),
        ("valuation", &arguments.valuation.map(name)),
    ];
    let answer = Api::new(&arguments.connection)?.get(&["results"], &query).await?;
    if arguments.format.json {
        print_line(&answer.text)?;
        return Ok(Exit::Done);
    }
    print(&match answer.read()? {
        Results::Days { results } => day::text(&results, width()),
        Results::Series { results } => range::table(&results, width()),
    })?;
    Ok(Exit::Done)
}

/// The name of a choice, as the API has it too.
fn name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A portfolio as a cell: the trial is told when it is not the first.
fn portfolio(model: &str, trial: u32) -> String {
    if trial == 0 { model.to_owned() } else { format!("{model} #{trial}") }
}
