//! Stand-ins for the outside world.
//!
//! [`AlphaVantage`] answers as the real service does, from recorded or generated prices, at a "today", with budgets
//! and faults that a test or the operator sets. It is not a proxy: nothing here reaches the network.

mod answer;
mod bar;
mod body;
pub mod chat;
mod control;
mod fault;
mod generated;
mod ledger;
mod notice;
mod prices;
mod recorded;
mod running;
mod server;
mod settings;

pub use fault::{Fault, FaultError, Scripted};
pub use ledger::Call;
pub use running::{AlphaVantage, Builder};
