//! Schema `market`: daily bars, coverage, provider budgets, preparations, downloads in flight.

mod actions;
mod bars;
mod call_quotas;
mod cancelled;
mod coverage;
mod findings;
mod flights;
mod imports;
mod portfolios;
mod preparations;
mod source;
mod spans;

pub use actions::{import_actions, known_actions};
pub use bars::{
    BarRow, Stored, bars_between, bars_by, closes, insert_bars, last_before, marks, present, put_back,
};
pub use call_quotas::{LockedQuota, lock_call_quota, now, peek_call_quota};
pub use cancelled::{CancelledPreparation, CancelledPreparations, take_cancelled};
pub use coverage::{known_symbols, stored_range};
pub use findings::{Finding, findings};
pub use flights::{Landing, give_back, land, release, release_all, renew_flights, take_flight};
pub use imports::{Different, Import, Imported, import_bars};
pub use portfolios::{completed_days, held_symbols, repriced_days};
pub use preparations::{
    Preparation, claim_due, due_count, finish, missing_preparations, note_download, renew, upsert, wait_until,
};
pub use source::{SourceNote, note_source};
pub use spans::{insert_span, spans};
