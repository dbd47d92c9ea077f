//! Corporate actions: one row a symbol, date and kind.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::faults::Faults;
use super::kind::ImportKind;
use super::rules::{Rules, price_problem, symbol};
use super::table::{CsvRow, read_rows};
use crate::market::corporate_action::{Action, ActionKind, Ratio};
use crate::market::instruments::Symbol;
use crate::values::money::{Price, PriceError};

/// The word that takes an earlier row back.
const CANCEL: &str = "cancel";

/// A corporate action with its line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRow {
    /// The line, counted from 1.
    pub line: usize,
    /// The company's symbol.
    pub symbol: Symbol,
    /// The session before whose open it takes effect.
    pub date: NaiveDate,
    /// What it is.
    pub kind: ActionKind,
    /// The action; `None` takes back one that was imported before.
    pub action: Option<Action>,
}

/// The actions of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionFile {
    /// Its rows.
    pub rows: Vec<ActionRow>,
    /// The columns that were not read.
    pub ignored_columns: Vec<String>,
}

/// Reads corporate actions: CSV with commas, semicolons or tabs, whose other columns are not read. Companies announce them, so their dates may be in the future. `kind` is not that of bars.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn actions(text: &str, kind: ImportKind, rules: &Rules<'_>) -> Result<ActionFile, Faults> {
    let mut seen = Seen::new();
    let read = read_rows(text, kind, |row, faults| read(row, kind, rules, &mut seen, faults))?;
    Ok(ActionFile { rows: read.items, ignored_columns: read.ignored })
}

/// The line of each symbol and date so far.
type Seen = HashMap<(Symbol, NaiveDate), usize>;

fn read(
    row: &CsvRow<'_>,
    kind: ImportKind,
    rules: &Rules<'_>,
    seen: &mut Seen,
    faults: &mut Faults,
) -> Option<ActionRow> {
    let line = row.line;
    let mut fault =
        |column: &str, problem: String| faults.add(line, column, problem, named(row, kind, column));
    let symbol = symbol(named(row, kind, "symbol")).map_err(|problem| fault("symbol", problem)).ok();
    let date = rules.session(named(row, kind, "date")).map_err(|problem| fault("date", problem)).ok();
    let terms = terms(row, kind).map_err(|(column, problem)| fault(column, problem)).ok();
    if let (Some(symbol), Some((_, Some(action)))) = (&symbol, &terms)
        && action.new_symbol() == Some(symbol)
    {
        fault("new_symbol", "is the symbol itself; write the other company's".to_owned());
        return None;
    }
    if let (Some(symbol), Some(date)) = (&symbol, date)
        && let Some(before) = seen.insert((symbol.clone(), date), line)
    {
        fault("date", format!("{symbol} on {date} is on line {before} already; leave one"));
    }
    let (kind, action) = terms?;
    Some(ActionRow { line, symbol: symbol?, date: date?, kind, action })
}

/// A field of a row; empty when the file has no such column.
fn named<'a>(row: &CsvRow<'a>, kind: ImportKind, column: &str) -> &'a str {
    let place = kind.columns().iter().chain(kind.optional()).position(|name| *name == column);
    place.map_or("", |place| row.field(place))
}

/// A number as it is written beside decimal points: `0,26` of a file with semicolons is `0.26`.
fn decimal<'a>(row: &CsvRow<'_>, text: &'a str) -> Cow<'a, str> {
    if row.has_decimal_commas && text.matches(',').count() == 1 && !text.contains('.') {
        return Cow::Owned(text.replace(',', "."));
    }
    Cow::Borrowed(text)
}

/// The kind of a row's action and its terms; no terms when it takes an earlier row back.
type RowTerms = (ActionKind, Option<Action>);

/// Reads the fields after symbol and date.
///
/// # Errors
/// The column, and what is wrong with it.
fn terms(row: &CsvRow<'_>, kind: ImportKind) -> Result<RowTerms, (&'static str, String)> {
    let field = |column: &str| named(row, kind, column);
    let ratio = || ratio(&decimal(row, field("ratio"))).map_err(|problem| ("ratio", problem));
    let amount = || amount(&decimal(row, field("amount"))).map_err(|problem| ("amount", problem));
    let new_symbol = || symbol(field("new_symbol")).map_err(|problem| ("new_symbol", problem));
    let is_cancelled = ["ratio", "amount", "new_symbol"].iter().any(|column| field(column) == CANCEL);
    let kind = match kind {
        // A file of bars has no actions; `FileRows` does not ask for them.
        ImportKind::Bars | ImportKind::Splits => ActionKind::Split,
        ImportKind::Dividends => ActionKind::Dividend,
        ImportKind::SpinOffs => ActionKind::SpinOff,
        ImportKind::Renames => ActionKind::Rename,
        ImportKind::Delistings => ActionKind::Delisting,
        ImportKind::Mergers if !field("new_symbol").is_empty() || !field("ratio").is_empty() => {
            ActionKind::StockMerger
        }
        ImportKind::Mergers => ActionKind::CashMerger,
    };
    if is_cancelled {
        return Ok((kind, None));
    }
    let above_zero = |amount: Decimal| Price::try_from(amount).ok();
    let action = match kind {
        ActionKind::Split => Some(ratio()?).filter(|ratio| !ratio.is_one()).map(Action::Split),
        ActionKind::Dividend => above_zero(amount()?).map(|per_share| Action::Dividend { per_share }),
        ActionKind::SpinOff => Some(Action::SpinOff { ratio: ratio()?, new: new_symbol()? }),
        ActionKind::Rename => Some(Action::Rename { new: new_symbol()? }),
        ActionKind::StockMerger => {
            let per_share = if field("amount").is_empty() { None } else { above_zero(amount()?) };
            Some(Action::StockMerger { ratio: ratio()?, new: new_symbol()?, per_share })
        }
        ActionKind::CashMerger => {
            let per_share = above_zero(amount()?).ok_or(("amount", "is not above zero".to_owned()))?;
            Some(Action::CashMerger { per_share })
        }
        ActionKind::Delisting => {
            let per_share = if field("amount").is_empty() { None } else { Some(amount()?) };
            Some(Action::Delisting { per_share })
        }
    };
    Ok((kind, action))
}

/// New shares for old ones: `10:1`, `10`, `1:8` or `0.125`.
pub(super) fn ratio(text: &str) -> Result<Ratio, String> {
    const WRITE: &str = "is not a ratio; write new shares:old shares, e.g. 10:1, or 1:10 for a reverse split";
    let (new, old) = text.split_once([':', '/']).unwrap_or((text, "1"));
    let ratio = millionths(new).zip(millionths(old)).and_then(|(new, old)| Ratio::reduced(old, new));
    ratio.ok_or_else(|| WRITE.to_owned())
}

/// A number of at most six places, in millionths.
fn millionths(text: &str) -> Option<u128> {
    let number = Decimal::from_str_exact(text.trim()).ok()?.normalize();
    let millionths = number.checked_mul(Decimal::from(1_000_000))?;
    u128::try_from(millionths).ok().filter(|_| number.scale() <= 6)
}

/// Dollars for each share; 0 is nothing.
fn amount(text: &str) -> Result<Decimal, String> {
    match text.parse::<Price>() {
        Ok(price) => Ok(price.amount()),
        Err(PriceError::NotPositive(amount)) if amount.is_zero() => Ok(Decimal::ZERO),
        Err(PriceError::NotPositive(_)) => Err("is below zero; write 0 for nothing".to_owned()),
        Err(problem) => Err(price_problem(&problem)),
    }
}
