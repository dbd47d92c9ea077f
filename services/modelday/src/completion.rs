//! `modelday completion`: how a shell completes commands, with the names that the server knows.
//!
//! The shell's script runs this program with the words so far, so that what it proposes is what this version understands.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Args, Command};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, CompletionCandidate, Shell};

use crate::client::names::{model_names, newest_jobs};
use crate::terminal::output::print;

/// Set by the script when the shell asks for words.
const VARIABLE: &str = "MODELDAY_COMPLETE";

/// How long a shell waits for names of the server.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The states of a job.
pub(crate) const JOB_STATES: [&str; 7] =
    ["pending", "downloading_data", "running", "completed", "partial", "failed", "cancelled"];

/// The shell to complete commands in.
#[derive(Args)]
pub(crate) struct CompletionArguments {
    /// The shell.
    shell: Shell,
}

/// When a shell asks for words, prints them and ends the process.
pub(crate) fn complete(command: impl Fn() -> Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).bin("modelday").complete();
}

/// Prints the shell's script.
pub(crate) fn completion(arguments: &CompletionArguments) -> anyhow::Result<()> {
    let shell = arguments.shell.to_string();
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&shell) {
        shell.write_registration(VARIABLE, "modelday", "modelday", "modelday", &mut script)?;
    }
    Ok(print(&String::from_utf8_lossy(&script))?)
}

/// Names of models that begin with what is typed; of a list, the last of it.
pub(crate) fn models(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let before = typed.rfind(',').map_or("", |comma| &typed[..=comma]);
    let names = of_server(model_names());
    names
        .into_iter()
        .map(|name| CompletionCandidate::new(format!("{before}{name}")))
        .filter(|candidate| candidate.get_value().to_string_lossy().starts_with(&*typed))
        .collect()
}

/// States of a job that begin with what is typed.
pub(crate) fn job_states(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    JOB_STATES.into_iter().filter(|state| state.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// The newest jobs that begin with what is typed, with their states.
pub(crate) fn jobs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let jobs = of_server(newest_jobs()).into_iter().filter(|job| job.id.starts_with(&*typed));
    jobs.map(|job| CompletionCandidate::new(job.id).help(Some(job.status.into()))).collect()
}

/// What the server answers in time; nothing otherwise, because a shell shows no errors.
fn of_server<T>(names: impl Future<Output = Vec<T>>) -> Vec<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, names).await.unwrap_or_default() })
}
