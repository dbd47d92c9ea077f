//! What Modelday decides: calendar, accounting, plans, states, metrics. No I/O, no clock, no randomness.
//!
//! The rooms stand on floors, which blank lines part below. A room imports only rooms of the floors above it in this
//! list; a test holds this.

pub mod values;

pub mod market;

pub mod accounting;

pub mod agent;
pub mod strategy;

pub mod job;

pub mod ingest;
pub mod simulation;

pub mod events;

pub mod dry_run;
pub mod performance;

pub mod replay;
