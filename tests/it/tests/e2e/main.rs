//! Jobs from request to result over HTTP, with real processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod accounts;
mod archive;
mod bad_input;
mod cancel;
mod cases;
mod concurrency;
mod consumer;
mod corporate_actions;
mod example;
mod field_cases;
mod forged;
mod free_key;
mod letters;
mod metrics;
mod never_unknown;
mod otlp;
mod own_models;
mod pauses;
mod plan;
mod price_files;
mod prices;
mod python_client;
mod readme;
mod rebuild;
mod renames;
mod sample;
mod sessions;
mod splits;
mod standing_by;
mod streams;
mod tables;
