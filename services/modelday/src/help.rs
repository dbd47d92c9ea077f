//! The first page of `--help`: a line for each command, in groups.

use std::fmt::Write as _;

use clap::Command;

use crate::client::exit::CODES;

/// Groups in the order in which a person comes to need them.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Jobs", &["run", "plan", "try", "watch", "cancel", "retry", "jobs", "open"]),
    (
        "Results and data",
        &["results", "leaderboard", "report", "export", "sources", "coverage", "prices", "import"],
    ),
    ("Models and universes", &["models", "universes", "reload"]),
    ("Pauses", &["pause", "resume", "drain", "paused"]),
    ("Without servers", &["init", "replay", "verify", "mcp"]),
    (
        "Servers",
        &[
            "serve",
            "migrate",
            "dead-letters",
            "rotate-key",
            "rebuild",
            "archive",
            "restore",
            "token",
            "openapi",
            "healthcheck",
            "completion",
        ],
    ),
];

/// The environment variables of the client.
const ENVIRONMENT: &str = "\
Environment:
  MODELDAY_URL    where Modelday listens; http://127.0.0.1:8080 without it
  MODELDAY_TOKEN  an API token, when the server requires one
  NO_COLOR        no colours
";

/// The command line with this first page.
pub(crate) fn grouped(command: Command) -> Command {
    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(text, "{group}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:<12} {about}");
        }
        text.push('\n');
    }
    let _ = write!(
        text,
        "`modelday COMMAND --help` explains a command. --json prints the response of the API, for scripts.\n\n{ENVIRONMENT}\n{CODES}"
    );
    command.help_template(format!("{{about}}\n\n{{usage-heading}} {{usage}}\n\n{text}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::Arguments;

    #[test]
    fn the_help_has_every_command_once_and_fits_a_terminal() {
        let mut command = grouped(Arguments::command());
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut known: Vec<String> =
            command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let help = command.render_help().to_string();

        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
        assert!(help.contains("  cancel       Cancel a job; what it has completed stays\n"), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        grouped(Arguments::command()).debug_assert();
    }
}
