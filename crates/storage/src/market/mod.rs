//! Schema `market`: daily bars, coverage, provider budgets, preparations, downloads in flight.

mod bars;
mod budgets;
mod findings;
mod flights;
mod portfolios;
mod preparations;
mod source;
mod spans;

pub use bars::{BarRow, Stored, bars_between, bars_by, closes, insert_bars, last_before, present};
pub use budgets::{Budget, lock_budget, peek_budget};
pub use findings::{Finding, findings};
pub use flights::{Landing, give_back, land, release, release_all, renew_flights, take_flight};
pub use portfolios::{completed_days, held_symbols};
pub use preparations::{
    Preparation, claim_due, due_count, finish, missing_preparations, note_download, renew, upsert, wait_until,
};
pub use source::{SourceNote, note_source};
pub use spans::{insert_span, spans};
