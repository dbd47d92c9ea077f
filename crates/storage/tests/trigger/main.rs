//! Accepting jobs in a real Postgres; `make test` provides one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod accepting;
mod catalogue;
