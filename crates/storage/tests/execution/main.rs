//! What the executor stores, against a real Postgres: lanes, days, ends of jobs and the outbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod budgets;
mod cancelling;
mod closing;
mod days;
mod feeding;
mod lanes;
mod measuring;
mod outbox;
mod planning;
mod presence;
mod reconcile;
mod retention;
mod visits;
mod world;
mod writing;
