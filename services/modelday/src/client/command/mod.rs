//! The commands of the client, a file each.

mod cancel;
mod choice;
mod coverage;
mod dead_letters;
mod export;
mod format;
mod import;
mod jobs;
mod leaderboard;
mod list_options;
mod models;
mod open;
mod pause;
mod paused;
mod plan;
mod prices;
mod rehearsal;
mod reload;
mod report;
mod request;
mod results;
mod run;
mod sources;
mod spelling;
mod universes;
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
    /// Save a report with figures and charts as one file.
    Report(report::ReportArguments),
    /// Save a job, its trades, positions or equity as a file.
    Export(export::ExportArguments),
    /// List the models that jobs may name, store some, or remove one.
    Models(models::ModelsArguments),
    /// List where prices come from, and how many calls are left.
    Sources(list_options::ListOptions),
    /// Open the page of a job, a day, a model or a list in the browser.
    Open(open::OpenArguments),
    /// Show which prices are stored.
    Coverage(coverage::CoverageArguments),
    /// List messages that could not be handled; send them again.
    DeadLetters(dead_letters::DeadLettersArguments),
    /// Bring prices of your own.
    #[command(subcommand)]
    Prices(prices::PricesCommand),
    /// Bring what was run with another project.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// List the universes that jobs may name, store one, or remove one.
    Universes(universes::UniversesArguments),
    /// Read the files of keys, of models, of the universe and of sources of prices again.
    Reload(reload::ReloadArguments),
    /// Pause a model, a source of prices or a queue: jobs wait for it.
    Pause(pause::PauseArguments),
    /// Resume what is paused.
    Resume(pause::ResumeArguments),
    /// Pause, and wait until nothing of it runs any more.
    Drain(pause::PauseArguments),
    /// List what is paused, why, and what waits for it.
    Paused(list_options::ListOptions),
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
        Command::Report(arguments) => report::main(arguments).await,
        Command::Export(arguments) => export::main(arguments).await,
        Command::Models(arguments) => models::main(arguments).await,
        Command::Sources(arguments) => sources::main(arguments).await,
        Command::Open(arguments) => open::main(arguments).await,
        Command::Coverage(arguments) => coverage::main(arguments).await,
        Command::DeadLetters(arguments) => dead_letters::main(arguments).await,
        Command::Prices(prices::PricesCommand::Import(arguments)) => prices::import(arguments).await,
        Command::Import(import::ImportCommand::Hkuds(arguments)) => import::hkuds(arguments).await,
        Command::Universes(arguments) => universes::main(arguments).await,
        Command::Reload(arguments) => reload::main(arguments).await,
        Command::Pause(arguments) => pause::pause(arguments).await,
        Command::Resume(arguments) => pause::resume(arguments).await,
        Command::Drain(arguments) => pause::drain(arguments).await,
        Command::Paused(options) => paused::main(options).await,
    }
}
