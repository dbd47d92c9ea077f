//! `modelday leaderboard`.

use clap::Args;

use super::api::Api;
use super::board::{self, Leaderboard};
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::output::{print, print_line, tell, width};

/// Whom to compare.
#[derive(Args)]
pub(crate) struct LeaderboardArguments {
    /// The portfolios of this job over its dates.
    #[arg(long, conflicts_with = "experiment")]
    job: Option<String>,
    /// First date, YYYY-MM-DD; without it the first there is.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD; without it the last there is.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// Only these models, separated by commas.
    #[arg(long)]
    models: Option<String>,
    /// Name of the experiment; `default` without it.
    #[arg(long)]
    experiment: Option<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Shows who is ahead.
pub(super) async fn main(arguments: &LeaderboardArguments) -> anyhow::Result<Exit> {
    let query = [
        ("job_id", &arguments.job),
        ("start_date", &arguments.start),
        ("end_date", &arguments.end),
        ("models", &arguments.models),
        ("experiment", &arguments.experiment),
    ];
    let answer = Api::new(&arguments.connection)?.get(&["leaderboard"], &query).await?;
    if arguments.format.json {
        print_line(&answer.text)?;
        return Ok(Exit::Done);
    }
    let board: Leaderboard = answer.read()?;
    if board.rows.is_empty() {
        tell("Nothing was run there yet; `modelday run` does.");
    } else {
        print(&board::table(&board, width()))?;
    }
    Ok(Exit::Done)
}
