//! Daily bars: one row a symbol and session.

use chrono::NaiveDate;

use super::faults::Faults;
use super::rules::{Rules, Seen, price_problem, symbol};
use super::table::{CsvRow, ImportKind, read_rows};
use crate::market::instruments::{Bar, BarError, Symbol};
use crate::values::money::Price;

/// A bar with its line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarRow {
    /// The line, counted from 1.
    pub line: usize,
    /// The symbol.
    pub symbol: Symbol,
    /// The session.
    pub date: NaiveDate,
    /// Prices and volume.
    pub bar: Bar,
}

/// Reads daily bars.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn bars(text: &str, rules: &Rules<'_>) -> Result<Vec<BarRow>, Faults> {
    let mut seen = Seen::default();
    read_rows(text, ImportKind::Bars, |row, faults| read(row, rules, &mut seen, faults))
}

fn read<'a>(row: &CsvRow<'a>, rules: &Rules<'_>, seen: &mut Seen<'a>, faults: &mut Faults) -> Option<BarRow> {
    let (line, columns) = (row.line, ImportKind::Bars.columns());
    let mut fault = |column: usize, problem: String| {
        let name = columns.get(column).copied().unwrap_or_default();
        faults.add(line, name, problem, row.field(column));
    };
    let symbol = symbol(row.field(0)).map_err(|problem| fault(0, problem)).ok();
    let date = rules.closed_session(row.field(1)).map_err(|problem| fault(1, problem)).ok();
    let [open, high, low, close] = [2, 3, 4, 5].map(|column| {
        row.field(column).parse::<Price>().map_err(|problem| fault(column, price_problem(&problem))).ok()
    });
    let volume = volume(row.field(6)).map_err(|problem| fault(6, problem.to_owned())).ok();
    if let (Some(_), Some(date)) = (&symbol, date)
        && let Err(before) = seen.note(row.field(0), date, line)
    {
        fault(1, format!("{} on {date} is on line {before} already; leave one", row.field(0)));
    }
    let bar = Bar::new(open?, high?, low?, close?, volume?)
        .map_err(|problem| fault(column_of(&problem), problem.to_string()))
        .ok()?;
    Some(BarRow { line, symbol: symbol?, date: date?, bar })
}

fn column_of(problem: &BarError) -> usize {
    match problem {
        BarError::HighTooLow { .. } => 3,
        BarError::LowTooHigh { .. } => 4,
    }
}

/// A whole number of shares within the range of a database `bigint`.
fn volume(text: &str) -> Result<u64, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let volume = text.parse().ok().filter(|volume| *volume <= i64::MAX.cast_unsigned());
    volume.filter(|_| digits).ok_or("is not a whole number of shares; write it like 1234567")
}
