//! A local Alpha Vantage. It responds as the real service does, from recorded or generated prices.
//!
//! A test or an operator sets its "today", its limits and its faults. It is no proxy: it never calls the real service.

mod action_body;
pub(crate) mod bar;
mod control;
pub(crate) mod fault;
mod ledger;
mod notice;
pub(crate) mod prices;
mod random_walk;
mod recorded_prices;
mod response;
mod routes;
mod series_body;
mod settings;
mod stand_in;

pub use fault::{Fault, FaultError, ScriptedFault};
pub use ledger::Call;
pub use stand_in::{AlphaVantage, Builder};
