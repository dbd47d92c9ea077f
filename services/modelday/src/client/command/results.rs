//! `modelday results`: what models did on one date, or how they did over a range.

mod day;
mod portfolio;
mod range;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use serde::Deserialize;

use super::choice;
use super::list_options::ListOptions;
use super::spelling::with_models_meant;
use crate::client::exit::Exit;
use crate::client::http::Api;
use crate::completion;
use crate::terminal::output::{print, width};

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
    #[arg(long, add = ArgValueCompleter::new(completion::jobs))]
    job: Option<String>,
    /// Only this model.
    #[arg(long, add = ArgValueCompleter::new(completion::models))]
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
    list: ListOptions,
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

/// The response: model-days of one date, or a series for each portfolio.
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
        ("reasoning", &arguments.reasoning.map(choice::name)),
        ("valuation", &arguments.valuation.map(choice::name)),
    ];
    let api = Api::new(&arguments.list.connection)?;
    let body = match api.get(&["results"], &query).await {
        Ok(body) => body,
        Err(error) => return Err(with_models_meant(&api, error, arguments.model.as_slice()).await),
    };
    match arguments.list.format.unless_json(&body)? {
        Some(Results::Days { results }) => {
            arguments.list.print(day::table(&results))?;
            if !arguments.list.is_csv() {
                print(&day::details(&results, width()))?;
            }
        }
        Some(Results::Series { results }) => arguments.list.print(range::table(results))?,
        None => {}
    }
    Ok(Exit::Done)
}
