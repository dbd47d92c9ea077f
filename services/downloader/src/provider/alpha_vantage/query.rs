//! The call that a response belongs to.

use chrono::{DateTime, Utc};
use domain::market::instruments::Symbol;

use super::history::OutputSize;
use crate::provider::Sessions;
use crate::provider::secret::Secret;

/// What was requested, and what the response is checked against.
#[derive(Clone, Copy)]
pub(super) struct Query<'a> {
    pub(super) symbol: &'a Symbol,
    /// The symbol as the service writes it.
    pub(super) spelled: &'a str,
    pub(super) size: OutputSize,
    pub(super) sessions: Sessions<'a>,
    /// When the call was made.
    pub(super) now: DateTime<Utc>,
    /// Kept out of all texts.
    pub(super) key: &'a Secret,
}

impl Query<'_> {
    /// Whether a response that names this symbol is about the requested one.
    pub(super) fn names(&self, echoed: Option<&str>) -> bool {
        echoed.is_some_and(|echoed| echoed == self.spelled || echoed == self.symbol.as_str())
    }
}
