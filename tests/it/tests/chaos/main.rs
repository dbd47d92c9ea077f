//! Faults: killed processes, a broken broker, bad messages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod accounts;
mod broker;
mod cancel;
mod cluster;
mod database;
mod kill;
mod large_file;
mod noise;
mod pause;
mod pgbouncer;
mod servers;
