//! Tests of the contract: fixtures, the committed baseline, round trips, refusals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod baseline;
mod documents;
mod fixture;
mod fixtures;
mod invalid;
mod round_trip;
