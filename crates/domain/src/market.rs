//! Market data: symbols and daily bars, corporate actions, the exchange's calendar, and the part of all this that is
//! known at an open.

pub mod as_of;
pub mod calendar;
pub mod corporate_action;
pub mod instruments;
pub mod known_actions;
pub mod price_history;
pub mod price_table;
pub mod renames;
pub mod rules;
mod taken_symbols;
