//! Files of prices and corporate actions: what each row means, and everything that is wrong with the file.
//!
//! The first line of a CSV file names the columns, in any order. Fields may stand in quotation marks; they contain no
//! line feeds, so a row is a line.

mod actions;
mod bars;
mod faults;
mod fields;
mod kind;
mod rules;
mod table;
#[cfg(test)]
mod tests;

pub use actions::{ActionFile, ActionRow, actions};
pub use bars::{BarFile, BarOptions, BarReader, BarRow, Basis, DateOrder, DecimalMark, bars};
pub use faults::{Fault, Faults, MAX_LISTED, text};
pub use kind::ImportKind;
pub use rules::Rules;
