//! The trigger service over HTTP, against a real Postgres and a real RabbitMQ.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod accepting;
mod admission;
mod cancelling;
mod catalogue;
mod dry_run;
mod folder;
mod idempotency;
mod pausing;
mod refusals;
mod retrying;
mod settings;
mod stage;
