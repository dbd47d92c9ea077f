//! The lines of a file as rows.

use super::faults::Faults;
use super::fields::FieldReader;
use super::kind::ImportKind;

/// A row's fields, in the order of [`ImportKind::columns`] and then of [`ImportKind::optional`].
#[derive(Debug, Clone)]
pub(super) struct CsvRow<'a> {
    pub(super) line: usize,
    fields: Vec<&'a str>,
}

impl<'a> CsvRow<'a> {
    pub(super) fn field(&self, column: usize) -> &'a str {
        self.fields.get(column).copied().unwrap_or_default()
    }
}

/// Calls `read` for each row below the header and collects what it returns; empty lines are skipped.
///
/// # Errors
/// Everything that is wrong with the file, in its order. When the header does not name each column once, only that.
pub(super) fn read_rows<T>(
    text: &str,
    kind: ImportKind,
    mut read: impl FnMut(&CsvRow<'_>, &mut Faults) -> Option<T>,
) -> Result<Vec<T>, Faults> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let header = lines.next().map(|(line, _)| line).unwrap_or_default();
    let mut fields = FieldReader::new(b',');
    let names = fields.split(header);
    let width = names.len();
    let places = places(header, &names, kind)?;
    let (mut items, mut faults, mut is_empty) = (Vec::new(), Faults::default(), true);
    for (text, line) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        is_empty = false;
        let found = fields.split(text);
        if found.len() == width {
            let field = |place: &Option<usize>| place.and_then(|place| found.get(place)).copied();
            let row = CsvRow {
                line,
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
    if faults.total == 0 { Ok(items) } else { Err(faults) }
}

/// The position of each column, the optional ones last; `None` of a column that the file does not have.
fn places(header: &str, names: &[&str], kind: ImportKind) -> Result<Vec<Option<usize>>, Faults> {
    let (required, optional) = (kind.columns(), kind.optional());
    let columns = [required, optional].concat();
    let names: Vec<String> = names.iter().map(|name| canonical(&name.to_ascii_lowercase())).collect();
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
    let is_blank = header.trim().is_empty();
    for name in names.iter().filter(|name| !is_blank && !columns.contains(&name.as_str())) {
        let shown: String = name.chars().take(64).collect();
        let problem = format!("there is no such column; leave it out, the columns are {expected}");
        faults.add(1, &shown, problem, header);
    }
    if faults.total > 0 {
        return Err(faults);
    }
    Ok(columns.iter().map(|column| names.iter().position(|name| name == column)).collect())
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
