//! A response as it arrived.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How much of a response arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// All bytes.
    Whole,
    /// The connection was closed or reset after the request was sent.
    Cut,
    /// No byte came in time, or they stopped coming.
    TimedOut,
    /// No connection was made: the request was not sent.
    Unreachable,
    /// The body is longer than the limit; the rest was not read.
    TooLarge,
    /// The endpoint's name resolves to addresses that may not be called; nothing was sent.
    NotAllowed,
}

/// A response that nothing has read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    /// How much of it arrived.
    pub delivery: Delivery,
    /// The HTTP status; `None` when there is none.
    pub status: Option<u16>,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body as far as it arrived.
    pub body: Vec<u8>,
    /// When it arrived. A date in `retry-after` is compared with it when the endpoint sends no date of its own.
    pub received_at: DateTime<Utc>,
}

impl RawResponse {
    /// No response, for the reason `delivery`.
    pub fn none(delivery: Delivery, received_at: DateTime<Utc>) -> Self {
        Self { delivery, status: None, headers: BTreeMap::new(), body: Vec::new(), received_at }
    }
}
