//! `modelday leaderboard`.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::completion;
use crate::terminal::leaderboard_table::{Leaderboard, rows, trials};
use crate::terminal::output::{note, print};
use crate::terminal::table::TableOptions;

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
    table: TableOptions,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
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
    let body = Api::new(&arguments.connection)?.get(&["leaderboard"], &query).await?;
    let Some(leaderboard) = arguments.format.unless_json::<Leaderboard>(&body)? else {
        return Ok(Exit::Done);
    };
    if leaderboard.rows.is_empty() {
        note("There are no such results yet; `modelday run` makes some.");
    } else {
        rows(&leaderboard).print(&arguments.table)?;
        if !arguments.table.is_csv() {
            print(&trials(&leaderboard))?;
        }
    }
    Ok(Exit::Done)
}
