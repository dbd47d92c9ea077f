//! What the executor stores, against a real Postgres: lanes, days, ends of jobs, the outbox, and who may
//! write what.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod cancelling;
mod closing;
mod days;
mod grants;
mod lanes;
mod outbox;
mod planning;
mod reconcile;
mod world;
mod writing;
