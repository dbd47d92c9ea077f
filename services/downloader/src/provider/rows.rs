//! Which rows of a response are bars, and which are rejected.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::{AnswerSpan, BEGINNING};
use domain::market::instruments::{Bar, Symbol};
use domain::values::date::parse_date;
use domain::values::money::Price;

use super::{PriceResponse, RejectedRow, RowFault, Sessions};

/// One row as text; `None` where a field is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRow<'a> {
    pub(crate) date: &'a str,
    pub(crate) open: Option<Cow<'a, str>>,
    pub(crate) high: Option<Cow<'a, str>>,
    pub(crate) low: Option<Cow<'a, str>>,
    pub(crate) close: Option<Cow<'a, str>>,
    pub(crate) volume: Option<Cow<'a, str>>,
}

impl PriceResponse {
    /// Notes that the response covers `symbol` from `from` on, as far as its sessions are final, unless too many of its
    /// rows are wrong.
    pub(crate) fn cover(
        &mut self,
        symbol: &Symbol,
        from: NaiveDate,
        sessions: &Sessions<'_>,
        now: DateTime<Utc>,
    ) {
        let to = sessions.final_until;
        if from <= to && self.is_mostly_good() {
            self.spans.push(AnswerSpan { symbol: symbol.clone(), from, to, requested_at: now });
        }
    }

    /// Adds the bars of `symbol`, checks each row, and returns the oldest date with a good one.
    pub(crate) fn add_rows<'a>(
        &mut self,
        symbol: &Symbol,
        rows: impl Iterator<Item = RawRow<'a>>,
        sessions: &Sessions<'_>,
    ) -> Option<NaiveDate> {
        let mut by_date: BTreeMap<NaiveDate, Vec<RawRow<'a>>> = BTreeMap::new();
        for row in rows {
            match parse_date(row.date) {
                Some(date) => by_date.entry(date).or_default().push(row),
                None => self.reject(symbol, row.date, RowFault::NotADate),
            }
        }
        let mut oldest = None;
        for (date, rows) in by_date.range(BEGINNING..) {
            if *date > sessions.today {
                rows.iter().for_each(|row| self.reject(symbol, row.date, RowFault::InTheFuture));
            } else if !(sessions.is_session)(*date) {
                rows.iter().for_each(|row| self.reject(symbol, row.date, RowFault::NotASession));
            } else if *date > sessions.storable_until {
                self.not_storable += rows.len();
            } else if let Some(bar) = self.only_bar(symbol, rows) {
                oldest.get_or_insert(*date);
                self.bars.push((symbol.clone(), *date, bar));
            }
        }
        oldest
    }

    /// Whether most of the rows are good; otherwise the response proves no absence.
    pub(crate) fn is_mostly_good(&self) -> bool {
        self.rejected.len() <= self.bars.len()
    }

    fn reject(&mut self, symbol: &Symbol, date: &str, fault: RowFault) {
        let date = date.chars().take(32).collect();
        self.rejected.push(RejectedRow { symbol: symbol.clone(), date, fault });
    }

    /// The bar of one date, if all its rows are equal and good.
    fn only_bar(&mut self, symbol: &Symbol, rows: &[RawRow<'_>]) -> Option<Bar> {
        let (first, others) = rows.split_first()?;
        others.iter().for_each(|row| self.reject(symbol, row.date, RowFault::Duplicate));
        let verdict =
            if others.iter().all(|other| other == first) { bar(first) } else { Err(RowFault::Duplicate) };
        verdict.map_err(|fault| self.reject(symbol, first.date, fault)).ok()
    }
}

fn bar(row: &RawRow<'_>) -> Result<Bar, RowFault> {
    let price = |text: &Option<Cow<'_, str>>, field: &'static str| -> Result<Price, RowFault> {
        let text = text.as_deref().ok_or(RowFault::MissingField(field))?;
        text.parse().map_err(|_| RowFault::NotAPrice(field))
    };
    let (open, high) = (price(&row.open, "open")?, price(&row.high, "high")?);
    let (low, close) = (price(&row.low, "low")?, price(&row.close, "close")?);
    let volume = row.volume.as_deref().ok_or(RowFault::MissingField("volume"))?;
    let digits = volume.bytes().all(|byte| byte.is_ascii_digit());
    let volume = volume.parse().ok().filter(|_| digits).ok_or(RowFault::NotAVolume)?;
    Bar::new(open, high, low, close, volume).map_err(|_| RowFault::OutOfOrder)
}
