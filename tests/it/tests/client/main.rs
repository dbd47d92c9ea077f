//! The command line as people and scripts use it: against a real system, and where only a server's misbehaviour
//! is wanted, against one that misbehaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod command;
mod control;
mod double;
mod exits;
mod export;
mod lines;
mod prices;

mod restart;
mod stream;
mod tables;
mod token;
