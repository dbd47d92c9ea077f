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
    pub(super) size: OutputSize,
    pub(super) sessions: Sessions<'a>,
    /// When the call was made.
    pub(super) now: DateTime<Utc>,
    /// Kept out of all texts.
    pub(super) key: &'a Secret,
}
