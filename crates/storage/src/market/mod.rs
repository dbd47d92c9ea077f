//! Schema `market`: daily bars, coverage, call quotas, preparations, downloads in flight.

mod actions;
mod answer_spans;
mod bars;
mod call_quotas;
mod cancelled_preparations;
mod coverage;
mod downloads;
mod findings;
mod import_log;
mod imports;
mod portfolios;
mod preparation_counts;
mod preparations;
mod refusals;
mod source;
mod takeovers;
mod total_return;

pub use actions::{import_actions, known_actions, received_in_job, received_symbols, renames};
pub use answer_spans::spans;
pub use bars::{
    BarRow, InsertedBars, bars_between, bars_by, closes, dates_with_bars, insert_bars, last_before,
    last_closes, sources_of, undo_replacements,
};
pub use call_quotas::{LockedQuota, lock_call_quota, peek_call_quota};
pub use cancelled_preparations::{CancelledPreparation, CancelledPreparations, take_cancelled};
pub use coverage::{known_symbols, stored_range};
pub use downloads::{
    Download, release_download, release_downloads, release_expired_downloads, renew_downloads,
    store_download, take_download,
};
pub use findings::{Finding, findings};
pub use import_log::{ImportCounts, ImportRecord, import_log};
pub use imports::{DifferingRow, ImportMode, ImportOutcome, import_bars};
pub use portfolios::{completed_days, held_symbols, repriced_days};
pub use preparation_counts::{PREPARATION_STATES, PreparationCount, preparation_counts};
pub use preparations::{
    Preparation, claim_due, finish, hand_back, insert_preparation, missing_preparations, postpone,
    record_download, renew, wait_for_source,
};
pub use refusals::{record_refusal, refusals};
pub use source::{SourceRow, record_sources};
pub use takeovers::takeovers;
pub use total_return::total_return_symbols;
