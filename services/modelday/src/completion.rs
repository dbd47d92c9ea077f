//! `modelday completion`: the script with which a shell completes commands.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::terminal::output::print;

/// The shell to complete commands in.
#[derive(Args)]
pub(crate) struct CompletionArguments {
    /// The shell.
    shell: Shell,
}

/// Prints the shell's script for `command`.
pub(crate) fn completion(arguments: &CompletionArguments, mut command: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut command, "modelday", &mut script);
    Ok(print(&String::from_utf8_lossy(&script))?)
}
