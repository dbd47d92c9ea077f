//! Why an import is refused, line by line.

use axum::http::StatusCode;
use chrono::NaiveDate;
use domain::ingest::import::{Fault, Faults};
use domain::job::request::ValidationError;
use domain::market::instruments::Symbol;
use runtime::http::Problem;
use storage::market::DifferingRow;

use crate::import::ReadError;

/// The refusal of a file that was not read.
pub(super) fn unread(error: ReadError) -> Problem {
    match error {
        ReadError::Wrong(faults) => wrong(faults),
        ReadError::Crashed(crash) => Problem::internal(&crash),
        ReadError::Storage(error) => error.into(),
    }
}

/// The refusal of a file after which bars of different bases would stand side by side.
pub(super) fn other_basis(symbols: &[String]) -> Problem {
    let shown = symbols.get(..10).unwrap_or(symbols).join(", ");
    let detail = format!(
        "Bars that are adjusted for dividends never stand beside others, and of {shown} some would; nothing is imported. \
         Say what the file has with basis=raw, basis=split_adjusted or basis=total_return, or send all stored dates of \
         the symbol with replace=true"
    );
    Problem::new(StatusCode::CONFLICT, detail)
}

fn wrong(faults: Faults) -> Problem {
    let error = |fault: Fault| {
        let Fault { line, column, problem, input } = fault;
        let of_column = if column.is_empty() { String::new() } else { format!("{column} ") };
        ValidationError {
            kind: "value_error",
            loc: vec!["body".into(), line.into(), column.as_str().into()],
            msg: format!("line {line}: {of_column}{problem}"),
            input: input.into(),
        }
    };
    let total = faults.total;
    let errors: Vec<ValidationError> = faults.listed.into_iter().map(error).collect();
    refused(StatusCode::UNPROCESSABLE_ENTITY, total, errors, "wrong", "")
}

/// The refusal of a file with rows that differ from stored ones.
pub(super) fn different(
    cells: &[(usize, &Symbol, NaiveDate)],
    listed: &[DifferingRow],
    total: usize,
) -> Problem {
    let error = |different: &DifferingRow| {
        let line = different.line;
        let cell = cells.iter().find(|(of_cell, _, _)| *of_cell == line);
        let what = cell.map(|(_, symbol, date)| format!("{symbol} on {date}")).unwrap_or_default();
        ValidationError {
            kind: "conflict",
            loc: vec!["body".into(), line.into()],
            msg: format!("line {line}: {what} is stored with {}", different.stored),
            input: what.into(),
        }
    };
    let errors: Vec<ValidationError> = listed.iter().map(error).collect();
    let fix = "; send replace=true to replace it";
    refused(StatusCode::CONFLICT, total, errors, "different from what is stored", fix)
}

/// A refusal that lists `errors`, the first of `total`.
fn refused(status: StatusCode, total: usize, errors: Vec<ValidationError>, what: &str, fix: &str) -> Problem {
    let first = errors.first().map(|error| error.msg.as_str()).unwrap_or_default();
    let listed = if total > errors.len() {
        format!(" (the first {} are listed)", errors.len())
    } else {
        String::new()
    };
    let things = if total == 1 { "1 thing is" } else { &format!("{total} things are") };
    let detail = format!("{things} {what}, nothing is imported{fix}{listed}: {first}");
    Problem::new(status, detail).with_errors(errors)
}
