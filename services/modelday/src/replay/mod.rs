//! `modelday replay` and `modelday verify`: run a saved job's days again from its bundle alone, and compare them with
//! the recorded ones.

pub(crate) mod bundle_file;
mod portfolios;
mod results;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use domain::replay::{RecordedDay, ReplayedDay, first_difference};

use crate::terminal::leaderboard_table::{Leaderboard, table};
use crate::terminal::output;
use bundle_file::BundleLimit;
use portfolios::{ReplayedPortfolio, run};

/// Which bundle to run, and where its results go.
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
    #[command(flatten)]
    limit: BundleLimit,
}

/// Which bundle to check.
#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// The file that `modelday export` saved.
    bundle: PathBuf,
    #[command(flatten)]
    limit: BundleLimit,
}

/// Runs the days again. Exit code 0: the bundle had every response they needed; 1: one is missing; 2: the file cannot
/// be used.
pub(crate) fn replay(arguments: &ReplayArguments) -> ExitCode {
    exit_code(replayed(arguments))
}

/// Runs the days again and compares. Exit code 0: every day is as recorded; 1: one differs; 2: the file cannot be used.
pub(crate) fn verify(arguments: &VerifyArguments) -> ExitCode {
    exit_code(verified(arguments))
}

fn exit_code(outcome: anyhow::Result<Result<(), String>>) -> ExitCode {
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(difference)) => {
            output::note(&format!("modelday: {difference}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            output::note(&format!("modelday: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn replayed(arguments: &ReplayArguments) -> anyhow::Result<Result<(), String>> {
    let began = Instant::now();
    let bundle = bundle_file::read(&arguments.bundle, arguments.limit)?;
    let read = began.elapsed();
    let began = Instant::now();
    let portfolios = run(&bundle);
    let took = began.elapsed();
    let results = results::text(&bundle, &portfolios).context("writing the results")?;
    if let Some(output) = &arguments.output {
        std::fs::write(output, &results).with_context(|| format!("writing {}", output.display()))?;
    }
    if arguments.json {
        output::print_json(&results).context("printing")?;
    } else {
        let days = bundle.days();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = days as f64 / took.as_secs_f64().max(1e-9);
        let rows = portfolios.iter().filter_map(|portfolio| results::row(portfolio)).collect();
        let leaderboard = Leaderboard { rows, models: results::models(&portfolios) };
        let leaderboard = table(&leaderboard, output::width());
        let count = portfolios.len();
        let (took, read) = (took.as_secs_f64(), read.as_secs_f64());
        print(&format!(
            "{leaderboard}\n{days} model-days of {count} portfolios replayed in {took:.3} s: {rate:.0} a second; \
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
    let bundle = bundle_file::read(&arguments.bundle, arguments.limit)?;
    let portfolios = run(&bundle);
    let mut differences = days(&portfolios).filter_map(|(name, recorded, replayed)| {
        Some((recorded.date, name, first_difference(recorded, replayed)?))
    });
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

/// Every day with its name, as recorded and as replayed.
fn days<'a>(
    portfolios: &'a [ReplayedPortfolio<'a>],
) -> impl Iterator<Item = (String, &'a RecordedDay, &'a ReplayedDay)> {
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
    output::print(text).context("printing")
}
