//! Rows become bars.

use std::collections::HashSet;

use chrono::NaiveDate;

use super::super::actions::{ActionRow, ratio};
use super::super::faults::Faults;
use super::super::rules::{Rules, price_problem, symbol};
use super::bar_file::{BarFile, BarOptions, BarRow, Basis};
use super::dates::{DateOrder, date};
use super::layout::{Field, Layout};
use super::numbers::{DecimalMark, is_missing, number, shares};
use crate::market::corporate_action::Action;
use crate::market::instruments::{Bar, BarError, Symbol};
use crate::values::arithmetic::half_even;
use crate::values::money::{Price, PriceError};

/// The most bars that are read from one file, because they are held in memory.
const MAX_ROWS: usize = 2_000_000;

/// Reads the rows of one file, whatever its format.
pub struct BarReader<'a> {
    rules: &'a Rules<'a>,
    layout: Layout,
    basis: Basis,
    /// Whether the sender said what the basis is.
    is_basis_said: bool,
    /// The symbol of files without a column for it.
    symbol: Option<Symbol>,
    is_from_name: bool,
    pub(super) order: Option<DateOrder>,
    pub(super) mark: DecimalMark,
    rows: Vec<BarRow>,
    actions: Vec<ActionRow>,
    is_overfull: bool,
    faults: Faults,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    rounded_prices: usize,
    rounded_volumes: usize,
    /// Rows without prices, and the line of the first.
    halts: usize,
    first_halt: usize,
    repeated: usize,
}

impl<'a> BarReader<'a> {
    /// A reader for a file whose columns have these names.
    ///
    /// # Errors
    /// The columns that are missing or there twice, or that nothing says which symbol it is.
    pub fn new(header: &[&str], options: &BarOptions, rules: &'a Rules<'a>) -> Result<Self, Faults> {
        let layout = Layout::of(header, options.with_actions)?;
        let from_name = || options.file_name.as_deref().and_then(symbol_of_file);
        let has_column = layout.place(Field::Symbol).is_some();
        let symbol = options.symbol.clone().or_else(|| from_name().filter(|_| !has_column));
        if symbol.is_none() && !has_column {
            let problem =
                "has no column; add it, or say the symbol with symbol=, or name the file like AAPL.csv";
            return Err(Faults::only(1, "symbol", problem, &header.join(",")));
        }
        Ok(Self {
            rules,
            basis: options.basis.unwrap_or(layout.basis),
            is_basis_said: options.basis.is_some(),
            is_from_name: options.symbol.is_none() && symbol.is_some(),
            symbol,
            order: options.date_order.or(layout.order),
            mark: options.decimal_mark.unwrap_or(DecimalMark::Point),
            layout,
            rows: Vec::new(),
            actions: Vec::new(),
            is_overfull: false,
            faults: Faults::default(),
            counts: Counts::default(),
        })
    }

    /// The field of a row.
    pub(super) fn field<'r>(&self, field: Field, row: &[&'r str]) -> &'r str {
        self.layout.place(field).and_then(|place| row.get(place)).map_or("", |text| text.trim())
    }

    /// Whether the file has more bars than are read from one; that is a fault, and what follows is not read.
    pub fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// Adds a fault.
    pub fn fault(&mut self, line: usize, column: &str, problem: impl Into<String>, input: &str) {
        self.faults.add(line, column, problem, input);
    }

    /// Reads the row of `line`, whose fields are in the order of the header.
    pub fn row(&mut self, line: usize, row: &[&str]) {
        if self.is_overfull {
            return;
        }
        if self.rows.len() >= MAX_ROWS {
            self.is_overfull = true;
            self.fault(
                line,
                "",
                format!("a file may have {MAX_ROWS} bars; send the others in another file"),
                "",
            );
            return;
        }
        const PRICES: [Field; 4] = [Field::Open, Field::High, Field::Low, Field::Close];
        if PRICES.iter().all(|field| is_missing(self.field(*field, row))) {
            self.counts.halts += 1;
            if self.counts.first_halt == 0 {
                self.counts.first_halt = line;
            }
            return;
        }
        let symbol = self.symbol(line, row);
        let text = self.field(Field::Date, row);
        let date =
            date(text, self.order).map_err(str::to_owned).and_then(|date| self.rules.closed_session(date));
        let date = date.map_err(|problem| self.fault(line, Field::Date.name(), problem, text)).ok();
        self.actions_of(line, symbol.as_ref(), date, row);
        let [open, high, low, close] = PRICES.map(|field| self.price(line, field, row));
        let volume = self.volume(line, row);
        let (Some(open), Some(high), Some(low), Some(close), Some(volume)) = (open, high, low, close, volume)
        else {
            return;
        };
        match Bar::new(open, high, low, close, volume) {
            Ok(bar) => {
                if let (Some(symbol), Some(date)) = (symbol, date) {
                    self.rows.push(BarRow { line, symbol, date, bar });
                }
            }
            Err(problem) => {
                let field = match problem {
                    BarError::HighTooLow { .. } => Field::High,
                    BarError::LowTooHigh { .. } => Field::Low,
                };
                self.fault(line, field.name(), problem.to_string(), self.field(field, row));
            }
        }
    }

    /// Reads the split and the dividend of a row: 0, 1 and nothing mean that there was none.
    fn actions_of(&mut self, line: usize, symbol: Option<&Symbol>, date: Option<NaiveDate>, row: &[&str]) {
        let [split, dividend] = self
            .layout
            .actions
            .map(|place| place.and_then(|place| row.get(place)).map_or("", |text| text.trim()));
        let mut add = |action: Action| {
            if let (Some(symbol), Some(date)) = (symbol, date) {
                let (symbol, kind) = (symbol.clone(), action.kind());
                self.actions.push(ActionRow { line, symbol, date, kind, action: Some(action) });
            }
        };
        let mut wrong = Vec::new();
        match number(split, self.mark).map(|factor| (factor, ratio(&factor.normalize().to_string()))) {
            None if is_missing(split) => {}
            Some((factor, _)) if factor.is_zero() => {}
            Some((_, Ok(ratio))) if ratio.is_one() => {}
            Some((_, Ok(ratio))) => add(Action::Split(ratio)),
            Some((_, Err(problem))) => wrong.push(("split", problem, split)),
            None => wrong.push(("split", "is not a number of new shares for an old one".to_owned(), split)),
        }
        match number(dividend, self.mark).map(|amount| half_even(amount, 10)) {
            None if is_missing(dividend) => {}
            Some(amount) if amount.is_zero() => {}
            Some(amount) => match Price::try_from(amount) {
                Ok(per_share) => add(Action::Dividend { per_share }),
                Err(problem) => wrong.push(("dividend", price_problem(&problem), dividend)),
            },
            None => wrong.push(("dividend", "is not an amount of dollars".to_owned(), dividend)),
        }
        for (column, problem, input) in wrong {
            self.fault(line, column, problem, input);
        }
    }

    fn symbol(&mut self, line: usize, row: &[&str]) -> Option<Symbol> {
        if self.layout.place(Field::Symbol).is_none() {
            return self.symbol.clone();
        }
        let text = self.field(Field::Symbol, row);
        let read = symbol(text.strip_suffix(self.layout.suffix).unwrap_or(text));
        let read = read.and_then(|read| match &self.symbol {
            Some(said) if *said != read => {
                Err(format!("is not {said}, which symbol= says; leave symbol= out"))
            }
            _ => Ok(read),
        });
        read.map_err(|problem| self.fault(line, Field::Symbol.name(), problem, text)).ok()
    }

    fn price(&mut self, line: usize, field: Field, row: &[&str]) -> Option<Price> {
        let text = self.field(field, row);
        let value = number(text, self.mark).ok_or_else(|| {
            if is_missing(text) {
                "is missing; leave the row out when there was no trade".to_owned()
            } else {
                match self.mark {
                    DecimalMark::Point => price_problem(&PriceError::NotDecimal(String::new())),
                    DecimalMark::Comma => {
                        "is not a number with a decimal comma, as the others are".to_owned()
                    }
                }
            }
        });
        let price = value.and_then(|value| {
            let rounded = half_even(value, 10);
            self.counts.rounded_prices += usize::from(rounded != value);
            Price::try_from(rounded).map_err(|problem| price_problem(&problem))
        });
        price.map_err(|problem| self.fault(line, field.name(), problem, text)).ok()
    }

    /// A number of shares within the range of a database `bigint`. Adjusted volumes may have fractions.
    fn volume(&mut self, line: usize, row: &[&str]) -> Option<u64> {
        let text = self.field(Field::Volume, row);
        let value = shares(text, self.mark);
        let whole = value.map(|value| half_even(value, 0));
        self.counts.rounded_volumes += usize::from(whole != value);
        let volume = whole.and_then(|whole| u64::try_from(whole).ok());
        let volume = volume.filter(|volume| *volume <= i64::MAX.cast_unsigned());
        if volume.is_none() {
            let problem = if is_missing(text) {
                "is missing; write 0 for a session without a trade"
            } else {
                "is not a number of shares; write it like 1234567"
            };
            self.fault(line, Field::Volume.name(), problem, text);
        }
        volume
    }

    /// The bars, when nothing was wrong.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn finish(mut self) -> Result<BarFile, Faults> {
        self.remove_repeated();
        if self.rows.is_empty() && self.faults.total == 0 {
            self.fault(1, "", "there are no rows with prices below the header", "");
        }
        if self.faults.total > 0 {
            return Err(self.faults.in_order());
        }
        let has_noise = self.counts.rounded_prices > 0;
        if self.layout.may_be_total_return && has_noise && !self.is_basis_said {
            // Only yfinance prints floats, and its default is adjusted for dividends.
            self.basis = Basis::TotalReturn;
        }
        let mut notes = self.notes();
        if self.basis == Basis::TotalReturn && !self.actions.is_empty() {
            // Holders would get them a second time.
            self.actions.clear();
            notes.push("Splits and dividends were not taken, because the prices include them.".to_owned());
        }
        // Rows that repeat an earlier one.
        let mut seen = HashSet::new();
        self.actions.retain(|row| seen.insert((row.symbol.clone(), row.date, row.kind)));
        Ok(BarFile {
            rows: self.rows,
            actions: self.actions,
            basis: self.basis,
            ignored_columns: self.layout.ignored,
            notes,
        })
    }

    /// Removes rows that say the same as an earlier one; those that say something else are faults.
    fn remove_repeated(&mut self) {
        let key = |row: &BarRow| (row.symbol.clone(), row.date);
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let rows = &self.rows;
        order.sort_by(|a, b| {
            rows[*a].symbol.cmp(&rows[*b].symbol).then(rows[*a].date.cmp(&rows[*b].date)).then(a.cmp(b))
        });
        let mut repeated = vec![false; rows.len()];
        let mut differing = Vec::new();
        for group in order.chunk_by(|a, b| key(&rows[*a]) == key(&rows[*b])) {
            let Some((first, others)) = group.split_first() else { continue };
            for other in others {
                repeated[*other] = true;
                if rows[*first].bar != rows[*other].bar {
                    differing.push((
                        rows[*other].line,
                        rows[*other].symbol.clone(),
                        rows[*other].date,
                        rows[*first].line,
                    ));
                }
            }
        }
        for (line, symbol, date, before) in &differing {
            let problem =
                format!("{symbol} on {date} is on line {before} already, with other prices; leave one");
            self.fault(*line, Field::Date.name(), problem, &date.to_string());
        }
        self.counts.repeated = repeated.iter().filter(|repeated| **repeated).count() - differing.len();
        let mut repeated = repeated.into_iter();
        self.rows.retain(|_| repeated.next() == Some(false));
    }

    fn notes(&self) -> Vec<String> {
        let Counts { rounded_prices, rounded_volumes, halts, first_halt, repeated } = self.counts;
        let mut notes = Vec::new();
        if let Some(symbol) = self.symbol.as_ref().filter(|_| self.is_from_name) {
            notes.push(format!("The symbol {symbol} is from the file's name."));
        }
        if !self.layout.ignored.is_empty() {
            notes.push(format!("Columns that were not read: {}.", self.layout.ignored.join(", ")));
        }
        if halts > 0 {
            notes.push(format!(
                "Rows without prices that were skipped: {halts}, the first on line {first_halt}."
            ));
        }
        if repeated > 0 {
            notes.push(format!("Rows that repeat an earlier one and count once: {repeated}."));
        }
        if rounded_prices > 0 {
            notes.push(format!("Prices that were rounded to ten decimal places: {rounded_prices}."));
        }
        if rounded_volumes > 0 {
            notes.push(format!("Volumes that were rounded to whole shares: {rounded_volumes}."));
        }
        notes
    }
}

/// The symbol that a file's name is: `AAPL.csv`, Stooq's `aapl_us_d.csv`, or `daily_prices_AAPL.json`.
fn symbol_of_file(name: &str) -> Option<Symbol> {
    let name = name.rsplit(['/', '\\']).next()?;
    let stem = name.strip_suffix(".gz").unwrap_or(name).rsplit_once('.')?.0;
    let stooq = stem.strip_suffix("_us_d");
    let stem = stooq
        .map(str::to_ascii_uppercase)
        .unwrap_or_else(|| stem.trim_start_matches("daily_prices_").to_owned());
    stem.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_a_symbol_only_when_it_is_written_like_one() {
        let symbol = |name| symbol_of_file(name).map(|symbol| symbol.to_string());

        for name in ["AAPL.csv", "prices/AAPL.csv.gz", "aapl_us_d.csv", "daily_prices_AAPL.json"] {
            assert_eq!(symbol(name).as_deref(), Some("AAPL"), "{name}");
        }
        assert_eq!(symbol("BRK.B.csv").as_deref(), Some("BRK.B"));
        for name in ["prices.csv", "HistoricalData_1759.csv", "AAPL", ""] {
            assert_eq!(symbol(name), None, "{name}");
        }
    }
}
