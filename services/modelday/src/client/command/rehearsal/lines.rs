//! The lines of a try, as far as they are shown.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line {
    Began {
        model: String,
        kind: String,
        date: String,
        url: String,
        symbols: u64,
        cash: Value,
        #[serde(default)]
        holdings: BTreeMap<String, u64>,
        #[serde(default)]
        after: Option<String>,
    },
    Call(Box<Call>),
    Tool {
        name: String,
        arguments: String,
        result: Value,
        diagnosis: Option<Diagnosis>,
    },
    Ended(Box<Ended>),
}

#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) step: u32,
    pub(super) request: Request,
    pub(super) answer: Option<Answer>,
    pub(super) milliseconds: u64,
    pub(super) class: String,
    pub(super) usage: Option<Value>,
    pub(super) cost: Option<Value>,
    pub(super) diagnosis: Option<Diagnosis>,
}

#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) bytes: u64,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// What is wrong.
#[derive(Deserialize)]
pub(super) struct Diagnosis {
    pub(super) problem: String,
    pub(super) expected: String,
    pub(super) fix: String,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    pub(super) completes: bool,
    pub(super) error: Option<String>,
    pub(super) summary: String,
    pub(super) value_at_open: Option<Value>,
    pub(super) faults: u32,
}
