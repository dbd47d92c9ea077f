//! Writing to the terminal or into a pipe. All texts pass [`clean`] here, because they may contain words of a server, of a
//! model or of a file.

use std::io::{IsTerminal as _, Write as _};

/// Width of tables that do not go to a terminal.
const DEFAULT_WIDTH: usize = 80;

/// Prints the text to standard output.
///
/// # Errors
/// When it cannot be written. A broken pipe means that the reader has seen enough, as `head` has.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    write(clean(text).as_bytes())
}

/// Prints the text to standard output and ends the line.
pub(crate) fn print_line(text: &str) -> std::io::Result<()> {
    print(&format!("{}\n", text.trim_end()))
}

/// Prints a JSON document, or a document a line, to standard output and ends the line. What controls a terminal is
/// escaped, which is the same document.
pub(crate) fn print_json(text: &str) -> std::io::Result<()> {
    write(format!("{}\n", escaped(text.trim_end())).as_bytes())
}

/// Prints a message for people to standard error.
#[expect(clippy::print_stderr, reason = "for people, beside the results")]
pub(crate) fn note(text: &str) {
    eprintln!("{}", clean(text));
}

/// A file that is printed to standard output in pieces: unchanged into a pipe, without what controls a terminal to one.
pub(crate) struct FileOutput {
    is_terminal: bool,
    /// Bytes of a character that is not complete.
    rest: Vec<u8>,
}

impl FileOutput {
    /// To standard output, wherever that goes.
    pub(crate) fn new() -> Self {
        Self { is_terminal: std::io::stdout().is_terminal(), rest: Vec::new() }
    }

    /// Prints the next piece.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.is_terminal { write(self.text(bytes).as_bytes()) } else { write(bytes) }
    }

    /// The characters that `bytes` complete, without what controls a terminal.
    fn text(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let complete = match std::str::from_utf8(&self.rest) {
            Err(problem) if problem.error_len().is_none() => problem.valid_up_to(),
            Ok(_) | Err(_) => self.rest.len(),
        };
        let bytes: Vec<u8> = self.rest.drain(..complete).collect();
        clean(&String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
    }
}

/// The width for tables, in columns: at least 40 in a terminal.
pub(crate) fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns).max(40))
}

/// The text with a replacement for each character that controls a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.replace(controls, "\u{fffd}")
}

/// JSON in which each character that controls a terminal is an escape. JSON has such characters in texts only.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        if controls(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
        text
    })
}

/// Whether the character may move the cursor, begin a sequence of commands, or change the order of what is shown.
fn controls(c: char) -> bool {
    let changes_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    (c.is_control() && c != '\n' && c != '\t') || changes_direction || ends_line
}

fn write(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACK: &str = "a\u{1b}]0;b\u{7}\u{9b}2J\u{202e}c\u{2066}d\re\u{7f}f\u{2028}g";

    #[test]
    fn nothing_that_controls_a_terminal_is_left() {
        assert_eq!(clean(ATTACK), "a�]0;b��2J�c�d�e�f�g");
        assert_eq!(clean("é\tß\n木 👩‍💻"), "é\tß\n木 👩‍💻");
    }

    #[test]
    fn json_stays_the_same_document() {
        let json = serde_json::to_string(ATTACK).unwrap();

        let printed = escaped(&format!("{{\"text\":\n{json}}}"));

        assert!(!printed.contains(controls), "{printed:?}");
        let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(read["text"], ATTACK);
    }

    #[test]
    fn a_file_to_a_terminal_is_clean_however_its_bytes_arrive() {
        let file = format!("model\r\n{ATTACK}\r\nñ").into_bytes();
        for size in 1..file.len() {
            let mut output = FileOutput { is_terminal: true, rest: Vec::new() };

            let text: String = file.chunks(size).map(|piece| output.text(piece)).collect();

            let text = text.replace("model\u{fffd}\n", "model\n").replace("g\u{fffd}\n", "g\n");
            assert_eq!(text, format!("model\n{}\nñ", clean(ATTACK)), "in pieces of {size}");
        }
    }
}
