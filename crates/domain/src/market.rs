//! The market as data: symbols and bars, the exchange's sessions, and what may be seen of prices at an open.

pub mod as_of;
pub mod calendar;
pub mod instruments;
pub mod price_table;
