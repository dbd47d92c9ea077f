//! Prices, splits and dividends that somebody brings as CSV: what each row says, and all that is wrong with it.
//!
//! The first line names the columns, in any order. Fields may stand in quotation marks; there are no line feeds
//! in them, so a row is a line.

mod actions;
mod bars;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::NaiveDate;

pub use actions::{ActionRow, Change, actions};
pub use bars::{BarRow, bars};

use crate::accounting::corporate_action::ActionKind;
use crate::market::calendar::Calendar;

/// Most faults that are listed; the others are counted.
pub const MOST_LISTED: usize = 100;

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Daily bars: symbol, date, open, high, low, close, volume.
    Bars,
    /// Splits: symbol, date, ratio.
    Splits,
    /// Dividends: symbol, date, amount.
    Dividends,
}

impl Kind {
    /// The names of its columns.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Bars => &["symbol", "date", "open", "high", "low", "close", "volume"],
            Self::Splits => &["symbol", "date", "ratio"],
            Self::Dividends => &["symbol", "date", "amount"],
        }
    }
}

impl From<ActionKind> for Kind {
    fn from(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Split => Self::Splits,
            ActionKind::Dividend => Self::Dividends,
        }
    }
}

/// By what rows are judged.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The exchange's sessions.
    pub calendar: &'a Calendar,
    /// The last session that has closed; later ones have no bar yet.
    pub closed_until: NaiveDate,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1; the header is the first.
    pub line: usize,
    /// The column; empty when it is about the whole line.
    pub column: String,
    /// What is wrong, and what to do about it.
    pub problem: String,
    /// What stands there, at most 64 characters of it.
    pub input: String,
}

/// All that is wrong with a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first of them, in the order of the file.
    pub listed: Vec<Fault>,
    /// How many there are.
    pub total: usize,
}

impl Faults {
    /// One more.
    pub fn add(&mut self, line: usize, column: &str, problem: impl Into<String>, input: &str) {
        self.total += 1;
        if self.listed.len() < MOST_LISTED {
            let input = input.chars().take(64).collect();
            self.listed.push(Fault { line, column: column.to_owned(), problem: problem.into(), input });
        }
    }

    fn only(line: usize, column: &str, problem: impl Into<String>, input: &str) -> Self {
        let mut faults = Self::default();
        faults.add(line, column, problem, input);
        faults
    }
}

/// The text of a file.
///
/// # Errors
/// The line that is no UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Faults> {
    std::str::from_utf8(bytes).map_err(|problem| {
        let before = bytes.get(..problem.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Faults::only(line, "", "this line is not UTF-8; save the file as UTF-8", "")
    })
}

/// A zero-padded `YYYY-MM-DD`.
fn strict_date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}

/// The date of a row, which must be a session.
fn session(text: &str, calendar: &Calendar) -> Result<NaiveDate, String> {
    let date = strict_date(text).ok_or("is not a date; write YYYY-MM-DD")?;
    if !calendar.covers(date) {
        return Err("is outside the trading calendar (2000 to 2030); leave the row out".to_owned());
    }
    if !calendar.is_session(date) {
        let why = calendar.closure_name(date).unwrap_or("a weekend");
        return Err(format!("is no session ({why}); leave the row out"));
    }
    Ok(date)
}

/// The lines on which a symbol and date stood before.
#[derive(Default)]
struct Seen<'a>(HashMap<(&'a str, NaiveDate), usize>);

impl<'a> Seen<'a> {
    /// # Errors
    /// The line that had them before.
    fn note(&mut self, symbol: &'a str, date: NaiveDate, line: usize) -> Result<(), usize> {
        match self.0.insert((symbol, date), line) {
            None => Ok(()),
            Some(before) => Err(before),
        }
    }
}
