//! Bars as CSV: with commas, semicolons or tabs between fields, as RFC 4180 has quotation marks.

use super::super::faults::Faults;
use super::super::fields::{FieldReader, delimiter};
use super::super::rules::Rules;
use super::bar_file::{BarFile, BarOptions, Basis};
use super::dates::{self, DateOrder};
use super::layout::Field;
use super::numbers::{DecimalMark, Evidence, evidence};
use super::reader::BarReader;

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(text: &str, options: &BarOptions, rules: &Rules<'_>) -> Result<BarFile, Faults> {
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    // A hint for Excel may stand before the header.
    let mut header_lines = lines.by_ref().map(|(line, _)| line).skip_while(|line| line.starts_with("sep="));
    let header_line = header_lines.next().unwrap_or_default();
    let mut fields = FieldReader::new(delimiter(header_line));
    let header: Vec<String> = fields.split(header_line).into_iter().map(str::to_owned).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    if header.first() == Some(&"Price")
        && lines.clone().next().is_some_and(|(line, _)| line.starts_with("Ticker"))
    {
        return read_frame(lines, fields, &header, options, rules);
    }
    let mut reader = BarReader::new(&header, options, rules)?;
    // Some programs end lines, but not the header, with a delimiter.
    let is_whole = |row: &[&str]| {
        row.len() >= header.len() && row.iter().skip(header.len()).all(|field| field.is_empty())
    };
    let mut notation = Notation { mark: options.decimal_mark, order: reader.order, ambiguous: None };
    for (line, number) in lines.clone() {
        let row = fields.split(line);
        if is_whole(&row) {
            notation.note(&reader, &row, number);
        }
    }
    (reader.mark, reader.order) = notation.decided()?;
    for (line, number) in lines {
        let row = fields.split(line);
        if is_whole(&row) {
            reader.row(number, &row);
        } else {
            let problem = format!("this line has {} fields and the header {}", row.len(), header.len());
            reader.fault(number, "", problem, line);
        }
    }
    reader.finish()
}

/// yfinance's frame of one or several symbols: the header's first line has what the columns are, the second whose they
/// are, the third the name of the index.
fn read_frame<'t>(
    mut lines: impl Iterator<Item = (&'t str, usize)>,
    mut fields: FieldReader,
    header: &[&str],
    options: &BarOptions,
    rules: &Rules<'_>,
) -> Result<BarFile, Faults> {
    let tickers = lines.next().map(|(line, _)| fields.split(line)).unwrap_or_default();
    let tickers: Vec<String> = tickers.into_iter().map(str::to_owned).collect();
    // The columns of each symbol.
    let mut symbols: Vec<(&str, Vec<usize>)> = Vec::new();
    for (ticker, place) in tickers.iter().zip(0..).skip(1) {
        match symbols.iter_mut().find(|(symbol, _)| symbol == ticker) {
            Some((_, places)) => places.push(place),
            None => symbols.push((ticker, vec![place])),
        }
    }
    let names = symbols.first().map(|(_, places)| places.as_slice()).unwrap_or_default();
    let names = names.iter().map(|place| header.get(*place).copied().unwrap_or_default());
    let columns: Vec<&str> = ["symbol", "Date"].into_iter().chain(names).collect();
    // Yahoo's own prices have adjusted ones beside them; without these, all are adjusted.
    let is_adjusted = !columns.contains(&"Adj Close");
    let basis = options.basis.or(is_adjusted.then_some(Basis::TotalReturn));
    let mut reader = BarReader::new(&columns, &BarOptions { basis, ..options.clone() }, rules)?;
    for (line, number) in lines {
        let row = fields.split(line);
        let field = |place: usize| row.get(place).copied().unwrap_or_default();
        // The third line names the index.
        if field(0) == "Date" {
            continue;
        }
        for (symbol, places) in &symbols {
            let cells = places.iter().map(|place| field(*place));
            reader.row(number, &[*symbol, field(0)].into_iter().chain(cells).collect::<Vec<_>>());
        }
    }
    reader.finish()
}

/// How the numbers and dates of a file are written, as far as its rows say.
struct Notation {
    mark: Option<DecimalMark>,
    order: Option<DateOrder>,
    /// The first number that can be read in two ways.
    ambiguous: Option<(usize, Field, String)>,
}

impl Notation {
    fn note(&mut self, reader: &BarReader<'_>, row: &[&str], line: usize) {
        const NUMBERS: [Field; 5] = [Field::Open, Field::High, Field::Low, Field::Close, Field::Volume];
        self.order = self.order.or_else(|| dates::order(reader.field(Field::Date, row)));
        for field in NUMBERS {
            if self.mark.is_some() {
                return;
            }
            let text = reader.field(field, row);
            let text = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            match evidence(text) {
                Evidence::Only(mark) => self.mark = Some(mark),
                // A comma in a number of shares is before thousands.
                Evidence::Ambiguous if field != Field::Volume && self.ambiguous.is_none() => {
                    self.ambiguous = Some((line, field, text.to_owned()));
                }
                Evidence::Ambiguous | Evidence::Nothing => {}
            }
        }
    }

    /// # Errors
    /// The first number that can be read in two ways, when no other says in which.
    fn decided(self) -> Result<(DecimalMark, Option<DateOrder>), Faults> {
        match (self.mark, self.ambiguous) {
            (None, Some((line, field, text))) => {
                let problem = "can be read in two ways; say which with decimal=point (then 1,234 is above a thousand) or decimal=comma";
                Err(Faults::only(line, field.name(), problem, &text))
            }
            (mark, _) => Ok((mark.unwrap_or(DecimalMark::Point), self.order)),
        }
    }
}
