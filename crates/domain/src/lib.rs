//! What Modelday decides: calendar, accounting, plans, states, metrics. No I/O, no clock, no randomness.

pub mod as_of;
pub mod benchmark;
mod bits;
pub mod budget;
pub mod calendar;
pub mod corporate;
pub mod costs;
pub mod coverage;
pub mod day;
pub mod event;
mod exact;
pub mod ids;
pub mod job;
pub mod lane;
pub mod market;
pub mod market_day;
pub mod metrics;
pub mod model_day;
pub mod money;
pub mod order;
pub mod plan;
pub mod policy;
pub mod portfolio;
pub mod price_table;
pub mod recorded;
pub mod request;
pub mod warning;
