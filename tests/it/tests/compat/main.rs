//! The contract with clients of the original API: paths, fields, defaults, refusals and their texts, to the letter.
//!
//! What is written out here is what such clients read. Fields beside them are ours, and may grow.

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
