//! The rules that rows of every kind have to satisfy, with the words in which a violation is reported.

use chrono::NaiveDate;

use crate::market::calendar::Calendar;
use crate::market::instruments::Symbol;
use crate::values::date::parse_date;
use crate::values::money::PriceError;

/// What dates are checked against.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The exchange's calendar.
    pub calendar: &'a Calendar,
    /// The last session that has closed; later ones have no bar yet.
    pub closed_until: NaiveDate,
}

impl Rules<'_> {
    /// The date of a row, which must be a session.
    pub(super) fn session(&self, text: &str) -> Result<NaiveDate, String> {
        self.is_session(parse_date(text).ok_or("is not a date; write YYYY-MM-DD")?)
    }

    fn is_session(&self, date: NaiveDate) -> Result<NaiveDate, String> {
        if !self.calendar.covers(date) {
            return Err("is outside the trading calendar (2000 to 2030); leave the row out".to_owned());
        }
        if !self.calendar.is_session(date) {
            let why = self.calendar.closure_name(date).unwrap_or("a weekend");
            return Err(format!("is no session ({why}); leave the row out"));
        }
        Ok(date)
    }

    /// `date` when it is a session that has closed.
    pub(super) fn closed_session(&self, date: NaiveDate) -> Result<NaiveDate, String> {
        let date = self.is_session(date)?;
        if date > self.closed_until {
            let last = self.closed_until;
            return Err(format!("is a session that has not closed yet; the last one that has is {last}"));
        }
        Ok(date)
    }
}

/// The symbol of a row.
pub(super) fn symbol(text: &str) -> Result<Symbol, String> {
    text.parse().map_err(|_| "is not a symbol; write 1 to 12 of A-Z, 0-9, '.', '-'".to_owned())
}

pub(super) fn price_problem(problem: &PriceError) -> String {
    match problem {
        PriceError::NotDecimal(_) => "is not a decimal number; write it like 1234.56",
        PriceError::NotPositive(_) => "is not above zero; leave the row out when there was no trade",
        PriceError::OutOfRange(_) => {
            "has more digits than a price can have (14 before the point, 10 behind it)"
        }
    }
    .to_owned()
}
