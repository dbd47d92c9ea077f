//! The schema in a real Postgres: who may read and write what, and which databases are refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod grants;
mod migrating;
