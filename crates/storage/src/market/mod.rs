//! Schema `market`: daily bars, coverage, provider budgets, preparations, downloads in flight.

mod bars;
mod budgets;
mod flights;
mod preparations;
mod spans;

pub use bars::{BarRow, Stored, bars_between, closes, insert_bars, last_before, present};
pub use budgets::{Budget, lock_budget, peek_budget};
pub use flights::{Landing, give_back, land, release, release_all, renew_flights, take_flight};
pub use preparations::{
    Preparation, claim_due, completed_days, due_count, finish, missing_preparations, note_download, renew,
    upsert, wait_until,
};
pub use spans::{insert_span, spans};
