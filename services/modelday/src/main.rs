//! Modelday in one binary: the four services in one process, the client for people, and replay without servers.

mod archive;
mod client;
mod completion;
mod healthcheck;
mod help;
mod init;
mod mcp;
mod migrate;
mod openapi;
mod owner_database;
mod replay;
mod rotate_key;
mod serve;
mod terminal;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use client::exit::{Exit, is_broken_pipe};
use migrate::{DevData, migrate};
use runtime::settings::Settings;
use terminal::output::note;
use tokio::runtime::Builder;

/// Runs trading models day by day on real prices.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Client(Box<client::command::Command>),
    /// Run all four services in one process, behind one address.
    Serve,
    /// Bring the database's schema up to date.
    Migrate {
        /// With DEPLOYMENT_MODE=DEV: remove the jobs and days of earlier runs, unless PRESERVE_DEV_DATA is on.
        #[arg(long)]
        reset_dev: bool,
    },
    /// Replace the key that the services sign their messages with, while they run.
    RotateKey,
    /// Build what status shows again from the log of events.
    Rebuild,
    /// Write jobs that ended before a date to files, and delete them from the database.
    Archive(archive::ArchiveArguments),
    /// Put archived jobs back into the database.
    Restore(archive::RestoreArguments),
    /// Set up a model: asks for keys, tries each with one call, and writes the entries.
    Init(init::InitArguments),
    /// Serve the agents' tools over MCP, to try an agent by hand.
    Mcp(mcp::McpArguments),
    /// Run a saved job's days again, without servers or agents.
    Replay(replay::ReplayArguments),
    /// Run a saved job's days again and compare each with what was recorded.
    Verify(replay::VerifyArguments),
    /// Print the API's description, as OpenAPI 3.1.
    Openapi,
    /// Make an API token, and its entry for API_TOKENS.
    Token(token::TokenArguments),
    /// Print the script that completes these commands in a shell.
    Completion(completion::CompletionArguments),
    /// Succeed when a URL answers 200; for container health checks.
    Healthcheck {
        /// The URL to check.
        #[arg(long, default_value = "http://127.0.0.1:8080/readyz")]
        url: String,
    },
}

fn main() -> ExitCode {
    // An error means that there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    completion::complete(|| help::grouped(Arguments::command()));
    let matches = help::grouped(Arguments::command()).get_matches();
    let command = match Arguments::from_arg_matches(&matches) {
        Ok(Arguments { command }) => command,
        Err(problem) => problem.exit(),
    };
    let runtime = match &command {
        // With one thread, calls that a client sends at once are handled in the order in which they came.
        Command::Mcp(_) => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().enable_all().build(),
    };
    match runtime {
        Ok(runtime) => runtime.block_on(run(command)),
        Err(error) => failed(&error.into()),
    }
}

async fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Serve => return Box::pin(serve::main()).await,
        Command::Migrate { reset_dev: true } => migrate(DevData::Reset).await,
        Command::Migrate { reset_dev: false } => migrate(DevData::Keep).await,
        Command::RotateKey => rotate_key::rotate_key().await,
        Command::Rebuild => rebuild().await,
        Command::Archive(arguments) => archive::archive(arguments).await,
        Command::Restore(arguments) => archive::restore(arguments).await,
        Command::Client(command) => return Box::pin(run_client(&command)).await,
        Command::Mcp(arguments) => return mcp::main(arguments).await,
        Command::Init(arguments) => return Box::pin(run_init(arguments)).await,
        Command::Replay(arguments) => return replay::replay(&arguments),
        Command::Verify(arguments) => return replay::verify(&arguments),
        Command::Openapi => openapi::print(),
        Command::Token(arguments) => token::token(&arguments),
        Command::Completion(arguments) => completion::completion(&arguments),
        Command::Healthcheck { url } => healthcheck::healthcheck(&url).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Sets a model up, and runs it when that is requested.
async fn run_init(arguments: init::InitArguments) -> ExitCode {
    let words = match init::main(arguments).await {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(words)) => words,
        Err(error) => return failed(&error),
    };
    match Arguments::try_parse_from(words) {
        Ok(Arguments { command: Command::Client(command) }) => run_client(&command).await,
        Ok(_) => ExitCode::SUCCESS,
        Err(problem) => failed(&problem.into()),
    }
}

/// Runs a command of the client, whose exit codes are those of `--help`.
async fn run_client(command: &client::command::Command) -> ExitCode {
    match client::command::main(command).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&error);
            Exit::of_error(&error).into()
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command for people")]
async fn rebuild() -> anyhow::Result<()> {
    let mut settings = Settings::load();
    let config = status::Config::from_settings(&mut settings, 8084)?;
    let jobs = status::rebuild(&config).await?;
    println!("Rebuilt {jobs} jobs.");
    Ok(())
}

fn failed(error: &anyhow::Error) -> ExitCode {
    report(error);
    ExitCode::FAILURE
}

fn report(error: &anyhow::Error) {
    if !is_broken_pipe(error) {
        note(&format!("modelday: {}", runtime::error_text(error)));
    }
}
