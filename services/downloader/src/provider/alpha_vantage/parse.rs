//! Which rows of a response are kept, which are rejected, and which dates the response covers.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ingest::coverage::{AnswerSpan, BEGINNING};
use domain::market::instruments::Bar;
use domain::values::date::parse_date;
use domain::values::money::Price;

use super::history::OutputSize;
use super::query::Query;
use crate::provider::{PriceResponse, RejectedRow, RowFault};

/// One row as text; `None` where a field is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawRow<'a> {
    pub(super) date: &'a str,
    pub(super) open: Option<&'a str>,
    pub(super) high: Option<&'a str>,
    pub(super) low: Option<&'a str>,
    pub(super) close: Option<&'a str>,
    pub(super) volume: Option<&'a str>,
}

/// Checks each row. `size` is the one that the response names.
pub(super) fn checked<'a>(
    rows: impl Iterator<Item = RawRow<'a>>,
    size: OutputSize,
    query: &Query<'_>,
) -> PriceResponse {
    let mut response = PriceResponse::default();
    let mut by_date: BTreeMap<NaiveDate, Vec<RawRow<'a>>> = BTreeMap::new();
    for row in rows {
        match parse_date(row.date) {
            Some(date) => by_date.entry(date).or_default().push(row),
            None => response.reject(row.date, RowFault::NotADate),
        }
    }
    let mut oldest = None;
    for (date, rows) in by_date.range(BEGINNING..) {
        if *date > query.sessions.today {
            rows.iter().for_each(|row| response.reject(row.date, RowFault::InTheFuture));
        } else if !(query.sessions.is_session)(*date) {
            rows.iter().for_each(|row| response.reject(row.date, RowFault::NotASession));
        } else if *date > query.sessions.storable_until {
            response.not_storable += rows.len();
        } else if let Some(bar) = response.only_bar(rows) {
            oldest.get_or_insert(*date);
            response.bars.push((query.symbol.clone(), *date, bar));
        }
    }
    response.spans.extend(span(&response, oldest, size, query));
    response
}

impl PriceResponse {
    fn reject(&mut self, date: &str, fault: RowFault) {
        self.rejected.push(RejectedRow { date: date.chars().take(32).collect(), fault });
    }

    /// The bar of one date, if all its rows are equal and good.
    fn only_bar(&mut self, rows: &[RawRow<'_>]) -> Option<Bar> {
        let (first, others) = rows.split_first()?;
        others.iter().for_each(|row| self.reject(row.date, RowFault::Duplicate));
        let verdict =
            if others.iter().all(|other| other == first) { bar(first) } else { Err(RowFault::Duplicate) };
        verdict.map_err(|fault| self.reject(first.date, fault)).ok()
    }
}

fn bar(row: &RawRow<'_>) -> Result<Bar, RowFault> {
    let price = |text: Option<&str>, field: &'static str| -> Result<Price, RowFault> {
        text.ok_or(RowFault::MissingField(field))?.parse().map_err(|_| RowFault::NotAPrice(field))
    };
    let (open, high) = (price(row.open, "open")?, price(row.high, "high")?);
    let (low, close) = (price(row.low, "low")?, price(row.close, "close")?);
    let volume = row.volume.ok_or(RowFault::MissingField("volume"))?;
    let digits = volume.bytes().all(|byte| byte.is_ascii_digit());
    let volume = volume.parse().ok().filter(|_| digits).ok_or(RowFault::NotAVolume)?;
    Bar::new(open, high, low, close, volume).map_err(|_| RowFault::OutOfOrder)
}

/// The dates that the response covers: from its oldest good bar, or from the beginning when it is the full history,
/// to the last final session. A response with more bad rows than good ones proves no absence.
fn span(
    response: &PriceResponse,
    oldest: Option<NaiveDate>,
    size: OutputSize,
    query: &Query<'_>,
) -> Option<AnswerSpan> {
    if response.rejected.len() > response.bars.len() {
        return None;
    }
    let from = match size {
        OutputSize::Compact => oldest?,
        OutputSize::Full => oldest.map(|_| BEGINNING)?,
    };
    let to = query.sessions.final_until;
    (from <= to).then(|| AnswerSpan { symbol: query.symbol.clone(), from, to, requested_at: query.now })
}
