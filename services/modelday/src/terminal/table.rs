//! Tables of which people choose the columns and the order, and which scripts get as CSV.

use std::cmp::Ordering;

use clap::Args;
use domain::values::spelling::near_miss;

use super::grid::{Column, Grid};
use super::output::{print, width};

/// How a table is shown.
#[derive(Args, Clone, Default)]
pub(crate) struct TableOptions {
    /// Show these columns only, in this order, separated by commas: the words of the head, such as model,return.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Sort by this column, with a - before it from the largest to the smallest.
    #[arg(long, value_name = "[-]NAME", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Print CSV: all columns unless --columns names some, with numbers as they are.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl TableOptions {
    /// Whether the output is for scripts.
    pub(crate) fn is_csv(&self) -> bool {
        self.csv
    }
}

/// A value of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// For people.
    shown: String,
    /// For scripts and for the order; empty when there is no value.
    raw: String,
}

/// A text, or a number that is shown as it is.
pub(crate) fn cell(text: impl Into<String>) -> Cell {
    let text = text.into();
    Cell { shown: text.clone(), raw: text }
}

/// A value that is shown in another form; `None` is shown as a dash.
pub(crate) fn shown_as<T: ToString>(value: Option<T>, shown: impl FnOnce(&T) -> String) -> Cell {
    match value {
        Some(value) => Cell { shown: shown(&value), raw: value.to_string() },
        None => Cell { shown: "-".to_owned(), raw: String::new() },
    }
}

/// A value that may be absent, shown as it is.
pub(crate) fn maybe<T: ToString>(value: Option<T>) -> Cell {
    shown_as(value, T::to_string)
}

/// Why a table cannot be shown as requested.
#[derive(Debug, thiserror::Error)]
#[error("{option}: there is no column {name:?}; {hint}")]
pub(crate) struct UnknownColumn {
    option: &'static str,
    name: String,
    hint: String,
}

/// A table before its columns are chosen.
pub(crate) struct Table {
    columns: Vec<Column>,
    /// Columns that are shown only when they are requested, after those of `columns`.
    more: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), more: Vec::new(), rows: Vec::new() }
    }

    /// Adds columns that `--columns` may name and CSV has.
    pub(crate) fn with_more(mut self, more: impl Into<Vec<Column>>) -> Self {
        self.more = more.into();
        self
    }

    /// Adds a row, with a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints the table.
    ///
    /// # Errors
    /// When an option names a column that the table does not have, or the output cannot be written.
    pub(crate) fn print(&self, options: &TableOptions) -> anyhow::Result<()> {
        Ok(print(&self.text(options, width())?)?)
    }

    /// The table as text.
    pub(crate) fn text(&self, options: &TableOptions, width: usize) -> Result<String, UnknownColumn> {
        let chosen = self.chosen(options)?;
        let mut rows: Vec<&Vec<Cell>> = self.rows.iter().collect();
        if let Some(sort) = &options.sort {
            let name = sort.trim_start_matches('-');
            let place = self.place("--sort", name)?;
            let (descending, raw) =
                (sort.starts_with('-'), |row: &Vec<Cell>| row.get(place).map(|cell| cell.raw.clone()));
            rows.sort_by(|a, b| order(&raw(a).unwrap_or_default(), &raw(b).unwrap_or_default(), descending));
        }
        let cells =
            |row: &Vec<Cell>| chosen.iter().filter_map(|place| row.get(*place)).cloned().collect::<Vec<_>>();
        if options.csv {
            let head: Vec<String> = chosen.iter().map(|place| key(self.column(*place).name)).collect();
            let body = rows.into_iter().map(|row| cells(row).into_iter().map(|cell| cell.raw).collect());
            return Ok([head].into_iter().chain(body).map(|fields: Vec<String>| csv_line(&fields)).collect());
        }
        let mut grid = Grid::new(chosen.iter().map(|place| self.column(*place)).collect::<Vec<_>>());
        for row in rows {
            grid.row(cells(row).into_iter().map(|cell| cell.shown));
        }
        Ok(grid.text(width))
    }

    fn chosen(&self, options: &TableOptions) -> Result<Vec<usize>, UnknownColumn> {
        if options.columns.is_empty() {
            let all = if options.csv { self.columns.len() + self.more.len() } else { self.columns.len() };
            return Ok((0..all).collect());
        }
        options.columns.iter().map(|name| self.place("--columns", name.trim())).collect()
    }

    fn column(&self, place: usize) -> Column {
        let own = self.columns.get(place).or_else(|| self.more.get(place - self.columns.len()));
        own.copied().unwrap_or_else(|| super::grid::exact(""))
    }

    fn place(&self, option: &'static str, name: &str) -> Result<usize, UnknownColumn> {
        let keys: Vec<String> =
            self.columns.iter().chain(&self.more).map(|column| key(column.name)).collect();
        keys.iter().position(|known| *known == key(name)).ok_or_else(|| {
            let near = near_miss(name, keys.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", keys.join(", ")),
            };
            UnknownColumn { option, name: name.to_owned(), hint }
        })
    }
}

/// The name of a column in options and CSV.
fn key(head: &str) -> String {
    let head = if head.is_empty() { "note" } else { head };
    head.to_lowercase().replace([' ', '_'], "-")
}

/// Numbers by their value and before texts; what is absent comes last in either direction.
fn order(a: &str, b: &str, descending: bool) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok();
    let ascending = match (a.is_empty(), b.is_empty()) {
        (false, false) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        },
        (absent_a, absent_b) => return absent_a.cmp(&absent_b),
    };
    if descending { ascending.reverse() } else { ascending }
}

/// A line of CSV. A text that a spreadsheet would run as a formula gets an apostrophe, as in the API's files.
fn csv_line(fields: &[String]) -> String {
    let field = |text: &String| {
        let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
        let inert = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_number {
            format!("'{text}")
        } else {
            text.clone()
        };
        if inert.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", inert.replace('"', "\"\""))
        } else {
            inert
        }
    };
    fields.iter().map(field).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::grid::{number, words};
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([words("Model"), number("Per year")]).with_more([number("Beta")]);
        let percent = |value: &f64| format!("{:+.1} %", value * 100.0);
        table.row([cell("b"), shown_as(Some(0.1), percent), cell("2")]);
        table.row([cell("a,\"x\""), shown_as(Some(-0.2), percent), cell("10")]);
        table.row([cell("=c"), shown_as(None, percent), maybe(None::<f64>)]);
        table
    }

    fn options(columns: &[&str], sort: Option<&str>, csv: bool) -> TableOptions {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        TableOptions { columns, sort: sort.map(str::to_owned), csv }
    }

    #[test]
    fn csv_has_every_column_and_numbers_as_they_are() {
        let text = table().text(&options(&[], None, true), 80).unwrap();

        assert_eq!(text, "model,per-year,beta\nb,0.1,2\n\"a,\"\"x\"\"\",-0.2,10\n'=c,,\n");
    }

    #[test]
    fn columns_are_chosen_and_rows_sorted_by_value_with_the_absent_last() {
        let models =
            |sort| table().text(&options(&["model"], Some(sort), true), 80).unwrap().replace('\n', " ");

        assert_eq!(models("beta"), "model b \"a,\"\"x\"\"\" '=c ");
        assert_eq!(models("-Beta"), "model \"a,\"\"x\"\"\" b '=c ");
        assert_eq!(models("per year"), "model \"a,\"\"x\"\"\" b '=c ");
        let shown = table().text(&options(&["per-year", "model"], None, false), 80).unwrap();
        assert!(shown.starts_with("Per year  Model\n"), "{shown}");
    }

    #[test]
    fn a_misspelt_column_gets_the_name_that_is_meant() {
        let error = |columns: &[&str], sort| {
            table().text(&options(columns, sort, false), 80).unwrap_err().to_string()
        };

        assert_eq!(error(&["modle"], None), "--columns: there is no column \"modle\"; did you mean model?");
        assert_eq!(
            error(&[], Some("-x")),
            "--sort: there is no column \"x\"; there are model, per-year, beta"
        );
    }
}
