//! Tables that fit the terminal: words are cut with an ellipsis, numbers never.

use std::fmt::Write as _;

use console::{Alignment, measure_text_width, pad_str, truncate_str};

use super::output::clean;

/// Columns of space between two columns.
const GAP: usize = 2;
/// The least width to which a column of words is cut.
const MIN_WIDTH: usize = 8;

/// The head and the layout of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(super) name: &'static str,
    align: Alignment,
    can_be_cut: bool,
}

/// A column of words that are never cut, such as ids.
pub(crate) const fn exact(name: &'static str) -> Column {
    Column { name, align: Alignment::Left, can_be_cut: false }
}

/// A column of words that may be cut.
pub(crate) const fn words(name: &'static str) -> Column {
    Column { name, align: Alignment::Left, can_be_cut: true }
}

/// A column of numbers.
pub(crate) const fn number(name: &'static str) -> Column {
    Column { name, align: Alignment::Right, can_be_cut: false }
}

/// A table with a head.
pub(crate) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table without rows.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row, with a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell).replace(['\n', '\t'], " ")).collect());
    }

    /// The table in `width` columns, or in more when its numbers need them.
    pub(crate) fn text(&self, width: usize) -> String {
        let widths = self.widths(width);
        let mut text = String::new();
        let head: Vec<String> = self.columns.iter().map(|column| column.name.to_owned()).collect();
        line(&mut text, &self.columns, &widths, &head);
        let _ = writeln!(text, "{}", "-".repeat(total(&widths)));
        for row in &self.rows {
            line(&mut text, &self.columns, &widths, row);
        }
        text
    }

    fn widths(&self, width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> =
            self.columns.iter().map(|column| measure_text_width(column.name)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = measure_text_width(cell).max(*widest);
            }
        }
        while total(&widths) > width {
            let cuttable = self.columns.iter().zip(&mut widths).filter(|(column, _)| column.can_be_cut);
            let Some((_, widest)) =
                cuttable.max_by_key(|(_, width)| **width).filter(|(_, width)| **width > MIN_WIDTH)
            else {
                break;
            };
            *widest -= 1;
        }
        widths
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

fn line(text: &mut String, columns: &[Column], widths: &[usize], cells: &[String]) {
    let mut line = String::new();
    for (place, ((column, width), cell)) in columns.iter().zip(widths).zip(cells).enumerate() {
        if place > 0 {
            line.push_str("  ");
        }
        let cell = truncate_str(cell, *width, "…");
        line.push_str(&pad_str(&cell, *width, column.align, None));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new([words("Model"), number("Value"), words("Note")]);
        grid.row(["a-model-with-a-long-name".to_owned(), "11645.67".to_owned(), "benchmark".to_owned()]);
        grid.row(["b".to_owned(), "9.1".to_owned(), String::new()]);
        grid
    }

    #[test]
    fn numbers_stand_on_the_right_and_nothing_trails() {
        assert_eq!(
            grid().text(80),
            "Model                        Value  Note\n\
             -------------------------------------------\n\
             a-model-with-a-long-name  11645.67  benchmark\n\
             b                              9.1\n"
                .replace("-------------------------------------------", &"-".repeat(24 + 2 + 8 + 2 + 9))
        );
    }

    #[test]
    fn words_are_cut_to_the_width_and_numbers_are_not() {
        let text = grid().text(30);

        assert!(text.contains("a-model-…  11645.67  benchmark"), "{text}");
        assert!(text.lines().all(|line| measure_text_width(line) <= 30), "{text}");
        assert!(grid().text(10).contains("11645.67"), "a number is never cut");
    }

    #[test]
    fn nothing_in_a_cell_controls_the_terminal_or_breaks_the_line() {
        let mut grid = Grid::new([words("Error")]);
        grid.row(["a\u{1b}[2Jb\nc".to_owned()]);

        assert!(grid.text(80).ends_with("\na\u{fffd}[2Jb c\n"), "{:?}", grid.text(80));
    }
}
