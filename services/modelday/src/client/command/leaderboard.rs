//! `modelday leaderboard`.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::completion;
use crate::terminal::leaderboard_table::{Leaderboard, rows, trials};
use crate::terminal::output::{note, print};

/// Which portfolios to compare.
#[derive(Args)]
pub(crate) struct LeaderboardArguments {
    /// The portfolios of this job over its dates.
    #[arg(long, add = ArgValueCompleter::new(completion::jobs), conflicts_with = "experiment")]
    job: Option<String>,
    /// First date, YYYY-MM-DD; without it, the first of the results.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD; without it, the last of the results.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// Only these models, separated by commas.
    #[arg(long, add = ArgValueCompleter::new(completion::models))]
    models: Option<String>,
    /// Name of the experiment; `default` without it.
    #[arg(long)]
    experiment: Option<String>,
    #[command(flatten)]
    list: ListOptions,
}

/// Shows the leaderboard.
pub(super) async fn main(arguments: &LeaderboardArguments) -> anyhow::Result<Exit> {
    let query = [
        ("job_id", &arguments.job),
        ("start_date", &arguments.start),
        ("end_date", &arguments.end),
        ("models", &arguments.models),
        ("experiment", &arguments.experiment),
    ];
    let Some(leaderboard) = arguments.list.get::<Leaderboard>(&["leaderboard"], &query).await? else {
        return Ok(Exit::Done);
    };
    if leaderboard.rows.is_empty() {
        note("There are no such results yet; `modelday run` makes some.");
    } else {
        arguments.list.print(rows(&leaderboard))?;
        if !arguments.list.is_csv() {
            print(&trials(&leaderboard))?;
        }
    }
    Ok(Exit::Done)
}
