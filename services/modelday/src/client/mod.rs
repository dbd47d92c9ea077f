//! The client for people and scripts. It knows nothing but the HTTP API.

pub(crate) mod api;
pub(crate) mod board;
mod cancel;
mod connection;
mod error;
mod events;
pub(crate) mod exit;
mod export;
mod follow;
mod grid;
mod job;
mod jobs;
mod leaderboard;
mod lines;
pub(crate) mod output;
mod patience;
mod phase;
mod plan;
mod prices;
mod progress;
mod request;
mod results;
mod run;
mod sse;
mod summary;
mod watch;

use clap::Subcommand;

use exit::Exit;

/// What to ask a Modelday that runs.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a job, watch it, and show the leaderboard.
    Run(run::RunArguments),
    /// Show what a job would run, download and cost; runs nothing.
    Plan(plan::PlanArguments),
    /// Watch a job until it has ended.
    Watch(watch::WatchArguments),
    /// Cancel a job; what it has completed stays.
    Cancel(cancel::CancelArguments),
    /// Run a job's failed model-days again, as a new job.
    Retry(run::RetryArguments),
    /// List jobs, newest first.
    Jobs(jobs::JobsArguments),
    /// Show what models did on a day, or came to over a range.
    Results(results::ResultsArguments),
    /// Compare portfolios with each other and with benchmarks.
    Leaderboard(leaderboard::LeaderboardArguments),
    /// Save a job, its trades, positions or equity as a file.
    Export(export::ExportArguments),
    /// Bring prices of your own.
    #[command(subcommand)]
    Prices(prices::PricesCommand),
}

/// Does it; a problem is left to the caller to tell.
pub(crate) async fn main(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Run(arguments) => run::run(arguments).await,
        Command::Plan(arguments) => plan::main(arguments).await,
        Command::Watch(arguments) => watch::main(arguments).await,
        Command::Cancel(arguments) => cancel::main(arguments).await,
        Command::Retry(arguments) => run::retry(arguments).await,
        Command::Jobs(arguments) => jobs::main(arguments).await,
        Command::Results(arguments) => results::main(arguments).await,
        Command::Leaderboard(arguments) => leaderboard::main(arguments).await,
        Command::Export(arguments) => export::main(arguments).await,
        Command::Prices(prices::PricesCommand::Import(arguments)) => prices::import(arguments).await,
    }
}
