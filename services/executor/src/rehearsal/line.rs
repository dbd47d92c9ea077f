//! What a rehearsal reports, line by line.

use std::collections::BTreeMap;

use domain::agent::Diagnosis;
use runtime::http::Number;
use serde::Serialize;
use serde_json::Value;

/// The longest text of a body that is shown whole, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(crate) enum Line {
    /// What is tried.
    Began {
        model: String,
        kind: &'static str,
        date: String,
        url: String,
        symbols: usize,
        /// What the day begins with.
        cash: Number,
        holdings: BTreeMap<String, u64>,
        /// The day of the kept portfolio that it continues from.
        after: Option<String>,
    },
    /// A request, and its answer.
    Call(Box<Call>),
    /// A call of a tool, and its result.
    Tool {
        step: u32,
        index: u32,
        name: String,
        arguments: String,
        result: Value,
        diagnosis: Option<Diagnosis>,
    },
    /// How the day would end.
    Ended(Box<Ended>),
}

/// A request and its answer, as they were sent.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    pub(super) step: u32,
    pub(super) request: Request,
    /// `None` when none came.
    pub(super) answer: Option<Answer>,
    pub(super) milliseconds: u64,
    /// What the answer is: `tool_calls`, `final`, `timeout`, ...
    pub(super) class: &'static str,
    pub(super) usage: Option<Value>,
    /// Dollars, when they are known.
    pub(super) cost: Option<Number>,
    pub(super) diagnosis: Option<Diagnosis>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Request {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: BTreeMap<&'static str, String>,
    pub(super) body: String,
    /// Bytes of the body; the text is cut after 1 MiB.
    pub(super) bytes: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) bytes: usize,
}

/// How the day would end.
#[derive(Debug, Serialize)]
pub(crate) struct Ended {
    /// The end reason of a model-day.
    pub(super) reason: String,
    /// Whether the day would complete. A day that fails changes no portfolio.
    pub(super) completes: bool,
    pub(super) error: Option<String>,
    pub(super) summary: String,
    pub(super) trades: Vec<Trade>,
    pub(super) refused: Vec<Refused>,
    /// After the last order; `None` when the day would fail.
    pub(super) cash: Option<Number>,
    pub(super) holdings: BTreeMap<String, u64>,
    pub(super) value_at_open: Option<Number>,
    pub(super) milliseconds: u64,
    pub(super) usage: Value,
    /// How many answers and calls of tools have something wrong.
    pub(super) faults: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct Trade {
    pub(super) side: &'static str,
    pub(super) symbol: String,
    pub(super) quantity: u64,
    pub(super) price: Number,
    pub(super) fee: Number,
}

#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    pub(super) side: &'static str,
    pub(super) symbol: String,
    pub(super) quantity: String,
    pub(super) code: String,
}

/// A text of at most 1 MiB.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}
