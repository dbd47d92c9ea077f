//! Writing to the terminal or into a pipe.

use std::io::Write as _;

/// Width of tables that do not go to a terminal.
const DEFAULT_WIDTH: usize = 80;

/// Prints the text to standard output.
///
/// # Errors
/// When it cannot be written. A broken pipe means that the reader has seen enough, as `head` has.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints the text to standard output and ends the line.
pub(crate) fn print_line(text: &str) -> std::io::Result<()> {
    print(&format!("{}\n", text.trim_end()))
}

/// Prints a message for people to standard error.
#[expect(clippy::print_stderr, reason = "for people, beside the results")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// The width for tables, in columns: at least 40 in a terminal.
pub(crate) fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns).max(40))
}

/// The text without characters that control a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}")
}
