//! The errors in a file, as they are reported to the user.

use std::borrow::Cow;

/// How many faults are listed; the others are counted.
pub const MAX_LISTED: usize = 100;

/// One error in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1; the header is the first.
    pub line: usize,
    /// The column; empty when it is about the whole line.
    pub column: String,
    /// What is wrong, and how to correct it.
    pub problem: String,
    /// The wrong text, cut to 64 characters.
    pub input: String,
}

/// All errors in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first [`MAX_LISTED`] of them, in the order of the file.
    pub listed: Vec<Fault>,
    /// Their number.
    pub total: usize,
}

impl Faults {
    /// Adds one.
    pub fn add(&mut self, line: usize, column: &str, problem: impl Into<String>, input: &str) {
        self.total += 1;
        if self.listed.len() < MAX_LISTED {
            let input = input.chars().take(64).collect();
            self.listed.push(Fault { line, column: column.to_owned(), problem: problem.into(), input });
        }
    }

    /// In the order of the file's lines.
    pub(super) fn in_order(mut self) -> Self {
        self.listed.sort_by_key(|fault| fault.line);
        self
    }

    /// One.
    pub fn only(line: usize, column: &str, problem: impl Into<String>, input: &str) -> Self {
        let mut faults = Self::default();
        faults.add(line, column, problem, input);
        faults
    }
}

/// The bytes of a file as text: UTF-8, or UTF-16 with a byte order mark, as spreadsheets save "Unicode text".
///
/// # Errors
/// The line that is not UTF-8.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Faults> {
    let units = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, unit)) = units {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        let damaged = || Faults::only(1, "", "the file is not UTF-16 as it says; save it as UTF-8", "");
        return String::from_utf16(&units).map(Cow::Owned).map_err(|_| damaged());
    }
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|problem| {
        let before = bytes.get(..problem.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Faults::only(line, "", "this line is not UTF-8; save the file as UTF-8", "")
    })
}
