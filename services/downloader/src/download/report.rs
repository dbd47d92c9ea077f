//! What a download has achieved.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ingest::outlook::Outlook;
use domain::market::instruments::Symbol;
use storage::market::Finding;

use super::stop_reason::StopReason;

/// The result of a download, work before an interruption included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Symbols that had to be fetched.
    pub(crate) total: usize,
    /// Symbols that were fetched.
    pub(crate) succeeded: usize,
    /// Symbols that could not be fetched, with the reason.
    pub(crate) failed: BTreeMap<Symbol, String>,
    /// Symbols of the job that no source has, with the reason.
    pub(crate) absent: BTreeMap<Symbol, String>,
    /// Why the download ended early.
    pub(crate) stop: Option<StopReason>,
    /// What the call quota kept from the job, when it is the reason.
    pub(crate) outlook: Option<Outlook>,
    /// The oldest date that the key's plan reaches; `None` without a limit.
    pub(crate) earliest: Option<NaiveDate>,
    /// Rejected rows and revised prices in the responses.
    pub(crate) findings: Vec<Finding>,
}
