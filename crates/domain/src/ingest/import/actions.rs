//! Splits and dividends: one row a symbol and date.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::faults::Faults;
use super::rules::{Rules, Seen, price_problem, symbol};
use super::table::{CsvRow, ImportKind, read_rows};
use crate::accounting::corporate_action::{ActionKind, Ratio};
use crate::market::instruments::Symbol;
use crate::values::money::{Price, PriceError};

/// The corporate action of a date. `None` inside it removes an action that was imported before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A split.
    Split(Option<Ratio>),
    /// Dollars for each share.
    Dividend(Option<Price>),
}

/// A split or dividend with its line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRow {
    /// The line, counted from 1.
    pub line: usize,
    /// The company's symbol.
    pub symbol: Symbol,
    /// The session before whose open it takes effect.
    pub date: NaiveDate,
    /// The action.
    pub change: Change,
}

/// Reads splits or dividends. Companies announce them, so their dates may be in the future.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn actions(text: &str, kind: ActionKind, rules: &Rules<'_>) -> Result<Vec<ActionRow>, Faults> {
    let mut seen = Seen::default();
    read_rows(text, kind.into(), |row, faults| read(row, kind, rules, &mut seen, faults))
}

fn read<'a>(
    row: &CsvRow<'a>,
    kind: ActionKind,
    rules: &Rules<'_>,
    seen: &mut Seen<'a>,
    faults: &mut Faults,
) -> Option<ActionRow> {
    let (line, columns) = (row.line, ImportKind::from(kind).columns());
    let mut fault = |column: usize, problem: String| {
        let name = columns.get(column).copied().unwrap_or_default();
        faults.add(line, name, problem, row.field(column));
    };
    let symbol = symbol(row.field(0)).map_err(|problem| fault(0, problem)).ok();
    let date = rules.session(row.field(1)).map_err(|problem| fault(1, problem)).ok();
    let change = match kind {
        ActionKind::Split => ratio(row.field(2)).map(Change::Split),
        ActionKind::Dividend => amount(row.field(2)).map(Change::Dividend),
    };
    let change = change.map_err(|problem| fault(2, problem)).ok();
    if let (Some(_), Some(date)) = (&symbol, date)
        && let Err(before) = seen.note(row.field(0), date, line)
    {
        fault(1, format!("{} on {date} is on line {before} already; leave one", row.field(0)));
    }
    Some(ActionRow { line, symbol: symbol?, date: date?, change: change? })
}

/// New shares for old ones: `10:1`, `10`, `1:8` or `0.125`. `1` is no split.
fn ratio(text: &str) -> Result<Option<Ratio>, String> {
    const WRITE: &str = "is not a ratio; write new shares:old shares, e.g. 10:1, or 1:10 for a reverse split";
    let (new, old) = text.split_once([':', '/']).unwrap_or((text, "1"));
    let ratio = millionths(new).zip(millionths(old)).and_then(|(new, old)| Ratio::reduced(old, new));
    let ratio = ratio.ok_or_else(|| WRITE.to_owned())?;
    Ok(Some(ratio).filter(|ratio| ratio.from() != ratio.to()))
}

/// A number of at most six places, in millionths.
fn millionths(text: &str) -> Option<u128> {
    let number = Decimal::from_str_exact(text.trim()).ok()?.normalize();
    let millionths = number.checked_mul(Decimal::from(1_000_000))?;
    u128::try_from(millionths).ok().filter(|_| number.scale() <= 6)
}

/// Dollars for each share. `0` is no dividend.
fn amount(text: &str) -> Result<Option<Price>, String> {
    match text.parse::<Price>() {
        Ok(price) => Ok(Some(price)),
        Err(PriceError::NotPositive(amount)) if amount.is_zero() => Ok(None),
        Err(PriceError::NotPositive(_)) => Err("is below zero; write 0 for no dividend".to_owned()),
        Err(problem) => Err(price_problem(&problem)),
    }
}
