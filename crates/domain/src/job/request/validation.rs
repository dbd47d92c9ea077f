//! Validation errors, with the texts of the original API.

use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use crate::market::calendar;

/// One segment of the path to a value in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PathSegment {
    /// A field of an object, or the part of the request where the path begins: `body`, `query`.
    Field(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

impl From<&str> for PathSegment {
    fn from(field: &str) -> Self {
        Self::Field(field.to_owned())
    }
}

impl From<usize> for PathSegment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for PathSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// One error of a request, serialised as `{type, loc, msg, input}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationError {
    /// Stable name of the rule, e.g. `missing`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The path to the value, e.g. `body`, `models`, `0`.
    pub loc: Vec<PathSegment>,
    /// A sentence for people.
    pub msg: String,
    /// The refused value; the whole object when a field is missing.
    pub input: Value,
}

impl ValidationError {
    /// A `value_error`: a value of the right type that breaks a rule.
    pub fn value(loc: Vec<PathSegment>, problem: impl fmt::Display, input: Value) -> Self {
        Self { kind: "value_error", loc, msg: format!("Value error, {problem}"), input }
    }

    /// An `extra_forbidden`: a field or parameter that there is not; `msg` says what to do instead.
    pub fn unknown(loc: Vec<PathSegment>, msg: String, input: Value) -> Self {
        Self { kind: "extra_forbidden", loc, msg, input }
    }

    /// All errors in one line: the text of `detail`.
    pub fn summary(errors: &[Self]) -> String {
        let lines: Vec<String> = errors.iter().map(Self::to_string).collect();
        lines.join("; ")
    }

    /// `field` of the body is a date that the calendar does not cover.
    pub(super) fn outside_calendar(field: &'static str, date: NaiveDate) -> Self {
        let loc = vec!["body".into(), field.into()];
        Self::value(loc, outside_calendar(field, date), date.to_string().into())
    }
}

/// The error text for a date that the calendar does not cover.
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
