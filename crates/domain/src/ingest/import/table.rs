//! The lines of a file as rows.

use super::faults::Faults;
use super::fields::{FieldReader, delimiter};
use super::kind::ImportKind;

/// A row's fields, in the order of [`ImportKind::columns`] and then of [`ImportKind::optional`].
#[derive(Debug, Clone)]
pub(super) struct CsvRow<'a> {
    pub(super) line: usize,
    /// Whether its numbers may have decimal commas, as beside semicolons.
    pub(super) has_decimal_commas: bool,
    fields: Vec<&'a str>,
}

impl<'a> CsvRow<'a> {
    pub(super) fn field(&self, column: usize) -> &'a str {
        self.fields.get(column).copied().unwrap_or_default()
    }
}

/// What was read of a file's rows, and the columns that mean nothing.
pub(super) struct ReadRows<T> {
    pub(super) items: Vec<T>,
    pub(super) ignored: Vec<String>,
}

/// Calls `read` for each row below the header and collects what it returns; empty lines are skipped.
///
/// # Errors
/// Everything that is wrong with the file, in its order. When the header does not name each column once, only that.
pub(super) fn read_rows<T>(
    text: &str,
    kind: ImportKind,
    mut read: impl FnMut(&CsvRow<'_>, &mut Faults) -> Option<T>,
) -> Result<ReadRows<T>, Faults> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let header = lines.next().map(|(line, _)| line).unwrap_or_default();
    let delimiter = delimiter(header);
    let mut fields = FieldReader::new(delimiter);
    let names = fields.split(header);
    let width = names.len();
    let (places, ignored) = places(header, &names, kind)?;
    let (mut items, mut faults, mut is_empty) = (Vec::new(), Faults::default(), true);
    for (text, line) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        is_empty = false;
        let found = fields.split(text);
        if found.len() == width {
            let field = |place: &Option<usize>| place.and_then(|place| found.get(place)).copied();
            let row = CsvRow {
                line,
                has_decimal_commas: delimiter == b';',
                fields: places.iter().map(|place| field(place).unwrap_or_default()).collect(),
            };
            items.extend(read(&row, &mut faults));
        } else {
            let problem = format!("this line has {} fields and the header {width}", found.len());
            faults.add(line, "", problem, text);
        }
    }
    if is_empty {
        faults.add(1, "", "there are no rows below the header", header);
    }
    if faults.total == 0 { Ok(ReadRows { items, ignored }) } else { Err(faults) }
}

/// The position of each column, and the columns that mean nothing, as they are written.
type Places = (Vec<Option<usize>>, Vec<String>);

/// The position of each column, the optional ones last; `None` of a column that the file does not have.
fn places(header: &str, written: &[&str], kind: ImportKind) -> Result<Places, Faults> {
    let (required, optional) = (kind.columns(), kind.optional());
    let columns = [required, optional].concat();
    let names: Vec<String> = written.iter().map(|name| canonical(&name.to_ascii_lowercase())).collect();
    let mut faults = Faults::default();
    let expected = columns.join(",");
    for column in &columns {
        let problem = match names.iter().filter(|name| name == column).count() {
            1 => continue,
            0 if optional.contains(column) => continue,
            0 => format!("has no column; the first line is {expected}"),
            _ => "the column is there more than once; leave one".to_owned(),
        };
        faults.add(1, column, problem, header);
    }
    if faults.total > 0 {
        return Err(faults);
    }
    let ignored = written.iter().zip(&names).filter(|(_, name)| !columns.contains(&name.as_str()));
    let ignored = ignored.map(|(written, _)| (*written).to_owned()).collect();
    Ok((columns.iter().map(|column| names.iter().position(|name| name == column)).collect(), ignored))
}

/// The column that is meant by another usual name.
fn canonical(name: &str) -> String {
    let name = name.replace([' ', '-'], "_");
    match name.as_str() {
        "ticker" | "old" | "old_symbol" => "symbol",
        "ex_date" | "effective_date" => "date",
        "new" | "new_ticker" => "new_symbol",
        "cash" | "per_share" | "cash_per_share" => "amount",
        other => other,
    }
    .to_owned()
}
