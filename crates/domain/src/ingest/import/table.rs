//! The lines of a file as rows of known columns.

use super::{Faults, Kind};

/// No kind has more columns.
const MOST_COLUMNS: usize = 7;

/// A row's fields, in the order of [`Kind::columns`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) line: usize,
    fields: [&'a str; MOST_COLUMNS],
}

impl<'a> Row<'a> {
    pub(super) fn field(&self, column: usize) -> &'a str {
        self.fields.get(column).copied().unwrap_or_default()
    }
}

/// What `read` makes of each row below the header; empty lines are skipped.
///
/// # Errors
/// All that is wrong with the file, in its order. When the header does not name each column once, that alone.
pub(super) fn read_rows<'a, T>(
    text: &'a str,
    kind: Kind,
    mut read: impl FnMut(&Row<'a>, &mut Faults) -> Option<T>,
) -> Result<Vec<T>, Faults> {
    let columns = kind.columns();
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let header = lines.next().map(|(line, _)| line).unwrap_or_default();
    let places = places(header, columns)?;
    let (mut made, mut faults, mut is_empty) = (Vec::new(), Faults::default(), true);
    for (text, line) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        is_empty = false;
        let mut row = Row { line, fields: [""; MOST_COLUMNS] };
        let mut count = 0;
        for field in fields(text) {
            if let Some(column) = places.iter().position(|place| *place == count) {
                row.fields[column] = field;
            }
            count += 1;
        }
        if count == columns.len() {
            made.extend(read(&row, &mut faults));
        } else {
            let problem = format!("this line has {count} fields and the header {}", columns.len());
            faults.add(line, "", problem, text);
        }
    }
    if is_empty {
        faults.add(1, "", "there are no rows below the header", header);
    }
    if faults.total == 0 { Ok(made) } else { Err(faults) }
}

/// Where each column stands.
fn places(header: &str, columns: &[&str]) -> Result<Vec<usize>, Faults> {
    let names: Vec<String> = fields(header).map(str::to_ascii_lowercase).collect();
    let mut faults = Faults::default();
    let expected = columns.join(",");
    for column in columns {
        let problem = match names.iter().filter(|name| name == column).count() {
            1 => continue,
            0 => format!("the column is missing; the first line is {expected}"),
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
    Ok(columns.iter().filter_map(|column| names.iter().position(|name| name == column)).collect())
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|field| {
        let field = field.trim();
        field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
    })
}
