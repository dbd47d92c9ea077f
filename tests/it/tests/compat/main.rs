//! The contract with clients of the original API: paths, fields, defaults, refusals and their exact texts.
//!
//! These tests name every field that such clients read. Other fields are new, and more may be added.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod deployment;
mod edge;
mod idempotency;
mod refusals;
mod results;
mod series;
mod stage;
mod status;
mod trigger;
