//! Which rows of a good answer are kept, which are rejected, and what the answer speaks for.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ingest::coverage::{AnswerSpan, BEGINNING};
use domain::market::instruments::Bar;
use domain::values::date::parse_date;
use domain::values::money::Price;

use super::OutputSize;
use super::classify::Asked;
use crate::provider::{Answer, RejectedRow, RowFault};

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

/// Judges each row. `size` is what the answer says it is.
pub(super) fn judge<'a>(
    rows: impl Iterator<Item = RawRow<'a>>,
    size: OutputSize,
    asked: &Asked<'_>,
) -> Answer {
    let mut answer = Answer::default();
    let mut by_date: BTreeMap<NaiveDate, Vec<RawRow<'a>>> = BTreeMap::new();
    for row in rows {
        match parse_date(row.date) {
            Some(date) => by_date.entry(date).or_default().push(row),
            None => answer.reject(row.date, RowFault::NotADate),
        }
    }
    let mut oldest = None;
    for (date, rows) in by_date.range(BEGINNING..) {
        if *date > asked.sessions.today {
            rows.iter().for_each(|row| answer.reject(row.date, RowFault::InTheFuture));
        } else if !(asked.sessions.is_session)(*date) {
            rows.iter().for_each(|row| answer.reject(row.date, RowFault::NotASession));
        } else if *date > asked.sessions.storable_until {
            answer.unsettled += rows.len();
        } else if let Some(bar) = answer.the_only(rows) {
            oldest.get_or_insert(*date);
            answer.bars.push((asked.symbol.clone(), *date, bar));
        }
    }
    answer.spans.extend(span(&answer, oldest, size, asked));
    answer
}

impl Answer {
    fn reject(&mut self, date: &str, fault: RowFault) {
        self.rejected.push(RejectedRow { date: date.chars().take(32).collect(), fault });
    }

    /// The bar of the rows of one date, if they are one.
    fn the_only(&mut self, rows: &[RawRow<'_>]) -> Option<Bar> {
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

/// What the answer speaks for: from its oldest good bar, or from the beginning when it is the full history,
/// to the last settled session. An answer with more bad rows than good ones proves no absence.
fn span(
    answer: &Answer,
    oldest: Option<NaiveDate>,
    size: OutputSize,
    asked: &Asked<'_>,
) -> Option<AnswerSpan> {
    if answer.rejected.len() > answer.bars.len() {
        return None;
    }
    let from = match size {
        OutputSize::Compact => oldest?,
        OutputSize::Full => oldest.map(|_| BEGINNING)?,
    };
    let to = asked.sessions.settled_until;
    (from <= to).then(|| AnswerSpan { symbol: asked.symbol.clone(), from, to, asked_at: asked.now })
}
