//! The HTTP API as a whole: its description, who may use it, and how it bears what nobody thought of.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod access;
mod dashboard;
mod description;
mod fuzzing;
mod token;
