//! The commands of the client, a file each.

mod cancel;
mod choice;
mod export;
mod format;
mod jobs;
mod leaderboard;
mod plan;
mod prices;
mod rehearsal;
mod request;
mod results;
mod run;
mod watch;

use clap::Subcommand;

use super::exit::Exit;

/// The commands that call a running Modelday.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a job, watch it, and show the leaderboard.
    Run(run::RunArguments),
    /// Show what a job would run, download and cost; runs nothing.
    Plan(plan::PlanArguments),
    /// Try one day of an agent by hand, with every call shown; stores nothing.
    Try(rehearsal::TryArguments),
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

/// Runs the command. The caller prints an error.
pub(crate) async fn main(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Run(arguments) => run::run(arguments).await,
        Command::Plan(arguments) => plan::main(arguments).await,
        Command::Try(arguments) => rehearsal::main(arguments).await,
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
