//! The executor against a real Postgres and a real RabbitMQ. Each test has a database and a virtual host.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod batches;
mod cancelling;
mod counting;
mod dead_letters;
mod endpoints;
mod lines;
mod options;
mod pausing;
mod planning;
mod scene;
mod sharing;
mod stage;
mod survival;
