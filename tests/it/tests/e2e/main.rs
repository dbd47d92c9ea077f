//! The whole path over HTTP, with real processes.

mod bad_input;
mod cases;
mod concurrency;
mod never_unknown;
mod sample;
mod sessions;
