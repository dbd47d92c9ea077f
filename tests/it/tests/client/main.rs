//! The command line as people and scripts use it: with a real system, or with a fake server for faults of a server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod command;
mod control;
mod exits;
mod export;
mod fake_server;
mod help;
mod hkuds;
mod hostile_server;
mod init;
mod lists;
mod models;
mod pausing;
mod prices;
mod report;
mod restart;
mod stream;
mod tables;
mod terminal;
mod token;
mod walks;
