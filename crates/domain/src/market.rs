//! Market data: symbols and daily bars, the exchange's calendar, and the part of the prices that is known at an open.

pub mod as_of;
pub mod calendar;
pub mod instruments;
pub mod price_table;
