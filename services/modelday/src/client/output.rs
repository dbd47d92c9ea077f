//! What goes to the terminal or into a pipe.

use std::io::Write as _;

/// Columns of what is no terminal.
const NO_TERMINAL: usize = 80;

/// Prints text as it is.
///
/// # Errors
/// When it cannot be written, above all when nobody reads any more.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a document with the end of its line.
///
/// # Errors
/// As [`print()`].
pub(crate) fn print_line(text: &str) -> std::io::Result<()> {
    print(&format!("{}\n", text.trim_end()))
}

/// Tells something that is no part of the answer.
#[expect(clippy::print_stderr, reason = "for people, beside the answer")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}

/// Columns that a table may have.
pub(crate) fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(NO_TERMINAL, |(_, columns)| usize::from(columns).max(40))
}

/// The text without what would control a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}")
}
