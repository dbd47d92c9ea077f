//! Columns of a table: one list for its JSON, its files and its schema.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A date of the exchange.
    Date,
    Count,
    Amount,
    /// A binary floating-point number, for statistics; never for money.
    Ratio,
    /// An instant, to the microsecond.
    Instant,
    /// True or false.
    Flag,
}

/// A value in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Date(NaiveDate),
    Count(i64),
    Amount(Decimal),
    Ratio(f64),
    Instant(DateTime<Utc>),
    Flag(bool),
    /// No value; only in an optional column.
    Nothing,
}

/// How amounts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Numbers {
    /// With all their digits.
    #[default]
    Exact,
    /// As the nearest binary floating-point number, which programs for statistics compute with.
    Float,
}

impl Numbers {
    /// The type as which a column is written.
    pub(super) fn kind(self, kind: Kind) -> Kind {
        if self == Self::Float && kind == Kind::Amount { Kind::Ratio } else { kind }
    }

    /// The value that is written.
    pub(super) fn cell(self, cell: Cell<'_>) -> Cell<'_> {
        match (self, cell) {
            (Self::Float, Cell::Amount(amount)) => nearest(amount).map_or(Cell::Nothing, Cell::Ratio),
            (_, cell) => cell,
        }
    }
}

/// The floating-point number that is nearest to a decimal.
pub(super) fn nearest(decimal: Decimal) -> Option<f64> {
    decimal.to_string().parse().ok()
}

/// A column of rows `R`.
pub(super) struct Column<R: 'static> {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether a row may have no value here.
    pub(super) optional: bool,
    /// What it means.
    pub(super) about: &'static str,
    pub(super) cell: fn(&R) -> Cell<'_>,
}

impl<R> Column<R> {
    /// A column in which every row has a value.
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        about: &'static str,
        cell: fn(&R) -> Cell<'_>,
    ) -> Self {
        Self { name, kind, optional: false, about, cell }
    }

    /// A column in which a row may have no value.
    pub(super) const fn optional(
        name: &'static str,
        kind: Kind,
        about: &'static str,
        cell: fn(&R) -> Cell<'_>,
    ) -> Self {
        Self { name, kind, optional: true, about, cell }
    }
}

/// A number of shares. No portfolio has money for more than `i64` can hold.
pub(super) fn count(number: u64) -> Cell<'static> {
    Cell::Count(i64::try_from(number).unwrap_or(i64::MAX))
}

pub(super) fn amount(amount: Option<Decimal>) -> Cell<'static> {
    amount.map_or(Cell::Nothing, Cell::Amount)
}
