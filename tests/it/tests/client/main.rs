//! The command line as people and scripts use it: against a real system, and where only a server's misbehaviour
//! is wanted, against one that misbehaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod command;
mod double;
mod exits;
mod lines;
mod prices;
mod requests;
mod restart;
mod stream;
mod tables;
mod token;
