//! What Modelday decides: calendar, accounting, plans, states, metrics. No I/O, no clock, no randomness.

pub mod market;
pub mod money;
