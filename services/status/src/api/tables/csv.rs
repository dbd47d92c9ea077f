//! CSV, as RFC 4180 defines it, with a header; an absent value is an empty field.
//!
//! A spreadsheet runs a text that begins like a formula, and others choose the names of models and experiments.

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};

use super::column::{Cell, Numbers};
use super::file::TableFile;
use super::row::TableRow;
use crate::api::format::instant;

/// A CSV file that is being written.
pub(super) struct CsvFile {
    numbers: Numbers,
    begun: bool,
}

impl CsvFile {
    pub(super) fn begin(numbers: Numbers) -> Self {
        Self { numbers, begun: false }
    }

    fn writer<R: TableRow>(&mut self) -> csv::Result<Writer<Vec<u8>>> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        if !std::mem::replace(&mut self.begun, true) {
            writer.write_record(R::COLUMNS.iter().map(|column| column.name))?;
        }
        Ok(writer)
    }
}

impl<R: TableRow> TableFile<R> for CsvFile {
    type Error = csv::Error;

    fn write(&mut self, rows: Vec<R>) -> Result<Vec<u8>, csv::Error> {
        let mut writer = self.writer::<R>()?;
        for row in &rows {
            for column in R::COLUMNS {
                match self.numbers.cell((column.cell)(row)) {
                    Cell::Text(text) => writer.write_field(&*inert(text))?,
                    Cell::Date(date) => writer.write_field(date.to_string())?,
                    Cell::Count(count) => writer.write_field(count.to_string())?,
                    Cell::Amount(amount) => writer.write_field(amount.normalize().to_string())?,
                    Cell::Ratio(ratio) => writer.write_field(ratio.to_string())?,
                    Cell::Instant(at) => writer.write_field(instant(at))?,
                    Cell::Flag(flag) => writer.write_field(flag.to_string())?,
                    Cell::Nothing => writer.write_field("")?,
                }
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.into_inner().map_err(|problem| csv::Error::from(problem.into_error()))
    }

    fn finish(&mut self) -> Result<Vec<u8>, csv::Error> {
        let writer = self.writer::<R>()?;
        writer.into_inner().map_err(|problem| csv::Error::from(problem.into_error()))
    }
}

/// The text, with an apostrophe before it when a spreadsheet would take it for a formula. A number is none, whatever its
/// sign.
fn inert(text: &str) -> Cow<'_, str> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    let begins_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if begins_formula && !is_number { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn a_text_that_begins_like_a_formula_is_made_inert_and_a_number_stays() {
        for formula in
            ["=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "-model", "@SUM(A1)", "\t=1", "\r=1", "-", "-inf"]
        {
            assert_eq!(inert(formula), format!("'{formula}"));
        }
        for harmless in ["gpt-5", "a=b", "-1.5", "+2", "-1e-7", "1,5", "", "'=1"] {
            assert_eq!(inert(harmless), harmless);
        }
    }
}
