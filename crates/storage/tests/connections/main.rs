//! Connections whose other end is gone without a word, against a real Postgres.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod servers;
mod silence;
