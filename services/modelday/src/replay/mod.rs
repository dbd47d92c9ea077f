//! Saved jobs: run their days again, and compare them with what was recorded. Nobody is asked.

mod file;
mod results;
mod run;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use domain::replay::compare;

use crate::client::board::{self, Leaderboard};
use crate::client::output;
pub(crate) use file::read;
use run::{Replayed, run};

/// What to run again.
#[derive(Args)]
pub(crate) struct ReplayArguments {
    /// The file that `modelday export` saved.
    bundle: PathBuf,
    /// Where to write the results as JSON Lines: the same bytes on every machine.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Print the results as JSON Lines instead of a table.
    #[arg(long)]
    json: bool,
}

/// What to compare.
#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// The file that `modelday export` saved.
    bundle: PathBuf,
}

/// Runs the days again; 0 when all of them were recorded, 1 when one was not, 2 when the file cannot be used.
pub(crate) fn replay(arguments: &ReplayArguments) -> ExitCode {
    ended(replayed(arguments))
}

/// Compares; 0 when every day is as it was recorded, 1 when one is not, 2 when the file cannot be used.
pub(crate) fn verify(arguments: &VerifyArguments) -> ExitCode {
    ended(verified(arguments))
}

#[expect(clippy::print_stderr, reason = "the last word of a command, for people")]
fn ended(outcome: anyhow::Result<Result<(), String>>) -> ExitCode {
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(difference)) => {
            eprintln!("modelday: {difference}");
            ExitCode::FAILURE
        }
        Err(problem) => {
            eprintln!("modelday: {problem:#}");
            ExitCode::from(2)
        }
    }
}

fn replayed(arguments: &ReplayArguments) -> anyhow::Result<Result<(), String>> {
    let began = Instant::now();
    let bundle = file::read(&arguments.bundle)?;
    let read = began.elapsed();
    let began = Instant::now();
    let portfolios = run(&bundle);
    let took = began.elapsed();
    let results = results::text(&bundle, &portfolios).context("writing the results")?;
    if let Some(output) = &arguments.output {
        std::fs::write(output, &results).with_context(|| format!("writing {}", output.display()))?;
    }
    if arguments.json {
        print(&results)?;
    } else {
        let days = bundle.days();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = days as f64 / took.as_secs_f64().max(1e-9);
        let rows = portfolios.iter().filter_map(|portfolio| results::row(portfolio)).collect();
        let board = Leaderboard { rows, models: results::models(&portfolios) };
        let board = board::table(&board, output::width());
        let count = portfolios.len();
        let (took, read) = (took.as_secs_f64(), read.as_secs_f64());
        print(&format!(
            "{board}\n{days} model-days of {count} portfolios replayed in {took:.3} s: {rate:.0} a second; \
             the file was read in {read:.3} s\n"
        ))?;
    }
    let missing = days(&portfolios).find_map(|(name, _, day)| {
        let missing = day.missing.as_ref()?;
        Some(format!("{name}, step {}: {}; the day ended with not_recorded", missing.step, missing.why))
    });
    Ok(missing.map_or(Ok(()), Err))
}

fn verified(arguments: &VerifyArguments) -> anyhow::Result<Result<(), String>> {
    let bundle = file::read(&arguments.bundle)?;
    let portfolios = run(&bundle);
    let mut differences = days(&portfolios)
        .filter_map(|(name, recorded, replayed)| Some((recorded.date, name, compare(recorded, replayed)?)));
    let Some(mut first) = differences.next() else {
        let (days, count) = (bundle.days(), portfolios.len());
        print(&format!("{days} model-days of {count} portfolios are as they were recorded\n"))?;
        return Ok(Ok(()));
    };
    let mut count = 1;
    for other in differences {
        count += 1;
        if (other.0, &other.1) < (first.0, &first.1) {
            first = other;
        }
    }
    let (_, name, difference) = first;
    Ok(Err(format!(
        "{name}, {difference}\n{count} of {} model-days differ; this is the first",
        bundle.days()
    )))
}

/// Every day with its name, as recorded and as run again.
fn days<'a>(
    portfolios: &'a [Replayed<'a>],
) -> impl Iterator<Item = (String, &'a domain::replay::RecordedDay, &'a domain::replay::ReplayedDay)> {
    portfolios.iter().flat_map(|portfolio| {
        let recorded = portfolio.recorded;
        let name = match recorded.trial {
            0 => recorded.model.clone(),
            trial => format!("{}#{trial}", recorded.model),
        };
        let days = recorded.days.iter().zip(&portfolio.days);
        days.map(move |(recorded, day)| (format!("{name} on {}", recorded.date), recorded, day))
    })
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("printing")
}
