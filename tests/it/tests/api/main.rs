//! The HTTP API as a whole: its description, access to it, and how it handles unexpected requests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod access;
mod audit;
mod bars;
mod connections;
mod dashboard;
mod description;
mod fairness;
mod fuzzing;
mod guessing;
mod origins;
mod restart;
mod secrets;
mod token;
mod token_file;
