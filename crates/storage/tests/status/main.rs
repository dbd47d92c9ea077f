//! The read model in a real Postgres; `make test` provides one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod chains;
mod feed;
mod letters;
mod projecting;
mod projector_lock;
mod reading;
mod sample;
