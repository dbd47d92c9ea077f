//! Daily bars: one row a symbol and session, in the files that vendors, libraries and spreadsheets write.

mod bar_file;
mod csv_file;
mod dates;
mod json_file;
mod layout;
mod numbers;
mod reader;
mod restored;
#[cfg(test)]
mod tests;

use super::faults::Faults;
use super::rules::Rules;

pub use bar_file::{BarFile, BarOptions, BarRow, Basis};
pub use dates::DateOrder;
pub use numbers::DecimalMark;
pub use reader::BarReader;

/// Reads a file of bars: CSV with commas, semicolons or tabs, or JSON.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn bars(text: &str, options: &BarOptions, rules: &Rules<'_>) -> Result<BarFile, Faults> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '[']) {
        json_file::read(text, options, rules)
    } else {
        csv_file::read(text, options, rules)
    }
}
