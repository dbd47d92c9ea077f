//! The decisions of Modelday: calendar, accounting, plans, states, metrics. No I/O, no clock, no randomness.
//!
//! Blank lines separate the layers below. A module imports only modules of the layers above its own; a test checks it
//! (`tests/it/tests/architecture`).

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
