//! The schema in a real Postgres: its accounts, who may read and write what, which databases are refused, and whether every
//! statement fits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod accounts;
mod archiving;
mod grants;
mod migrating;
mod source;
mod statements;
