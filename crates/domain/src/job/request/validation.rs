//! What is wrong with a request, in the words that clients of the original API know.

use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use crate::market::calendar;

/// One step of the way to a value inside a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// A field of an object, or the part of the request it begins at: `body`, `query`.
    Field(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

impl From<&str> for Place {
    fn from(field: &str) -> Self {
        Self::Field(field.to_owned())
    }
}

impl From<usize> for Place {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// One thing that is wrong with a request; written as `{type, loc, msg, input}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationError {
    /// Stable name of the rule, e.g. `missing`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where the value is, from the outside in, e.g. `body`, `models`, `0`.
    pub loc: Vec<Place>,
    /// A sentence for people.
    pub msg: String,
    /// What was there instead; the whole object when a field is missing.
    pub input: Value,
}

impl ValidationError {
    /// A `value_error`: a value of the right type that breaks `problem`'s rule.
    pub fn value(loc: Vec<Place>, problem: impl fmt::Display, input: Value) -> Self {
        Self { kind: "value_error", loc, msg: format!("Value error, {problem}"), input }
    }

    /// All errors in one line: the text of `detail`.
    pub fn summary(errors: &[Self]) -> String {
        let lines: Vec<String> = errors.iter().map(Self::to_string).collect();
        lines.join("; ")
    }

    /// `field` of the body is a date for which the calendar has no answers.
    pub(super) fn outside_calendar(field: &'static str, date: NaiveDate) -> Self {
        let loc = vec!["body".into(), field.into()];
        Self::value(loc, outside_calendar(field, date), date.to_string().into())
    }
}

/// Why a date of a request is refused for which the calendar has no answers.
pub(super) fn outside_calendar(field: &str, date: NaiveDate) -> String {
    let (first, last) = (calendar::YEARS.start(), calendar::YEARS.end());
    format!("{field} ({date}) is outside the trading calendar ({first}-01-01 to {last}-12-31)")
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, place) in self.loc.iter().enumerate() {
            write!(f, "{}{place}", if depth == 0 { "" } else { "." })?;
        }
        write!(f, ": {}", self.msg)
    }
}
