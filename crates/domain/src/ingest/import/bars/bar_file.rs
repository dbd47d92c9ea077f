//! The bars of a file, and what its sender says about it.

use chrono::NaiveDate;

use super::super::actions::ActionRow;
use super::dates::DateOrder;
use super::numbers::DecimalMark;
use crate::market::instruments::{Bar, Symbol};

/// How the prices of a file relate to the prices at which shares changed hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The prices of the time.
    Raw,
    /// Restated to the shares of today: each later split has divided them.
    SplitAdjusted,
    /// Restated for splits and dividends. No trade happened at such a price.
    TotalReturn,
}

impl Basis {
    /// Its form in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::SplitAdjusted => "split_adjusted",
            Self::TotalReturn => "total_return",
        }
    }
}

/// A bar with its line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarRow {
    /// The line, counted from 1; in a file without lines, the record.
    pub line: usize,
    /// The symbol.
    pub symbol: Symbol,
    /// The session.
    pub date: NaiveDate,
    /// Prices and volume.
    pub bar: Bar,
}

/// What the sender says about a file of bars; all of it may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BarOptions {
    /// The symbol of all rows.
    pub symbol: Option<Symbol>,
    /// The file's name, which may be the symbol's, e.g. `AAPL.csv`.
    pub file_name: Option<String>,
    /// What its prices are based on.
    pub basis: Option<Basis>,
    /// The order of dates such as `10/02/2025`.
    pub date_order: Option<DateOrder>,
    /// The mark before decimal places.
    pub decimal_mark: Option<DecimalMark>,
    /// Whether the splits and dividends are read that stand in columns beside the prices.
    pub with_actions: bool,
}

/// The bars of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarFile {
    /// The bars, each symbol and date once, in the order of the file.
    pub rows: Vec<BarRow>,
    /// Splits and dividends of the same rows, when they were to be read.
    pub actions: Vec<ActionRow>,
    /// What their prices are based on.
    pub basis: Basis,
    /// The columns that were not read.
    pub ignored_columns: Vec<String>,
    /// What was done with the rows beyond reading them, in sentences for people.
    pub notes: Vec<String>,
}
