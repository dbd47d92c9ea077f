//! `modelday completion`: what a shell needs to complete commands.

use clap::Args;
use clap_complete::{Shell, generate};

use crate::client::output::print;
use crate::help;

/// For which shell.
#[derive(Args)]
pub(crate) struct CompletionArguments {
    /// The shell.
    shell: Shell,
}

/// Prints the shell's script.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn completion(arguments: &CompletionArguments) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut help::command(), "modelday", &mut script);
    Ok(print(&String::from_utf8_lossy(&script))?)
}
