//! The whole service against a real Postgres, a real RabbitMQ and the stand-in for Alpha Vantage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod absent;
mod broker;
mod budget;
mod cancelling;
mod download;
mod pausing;
mod refused;
mod sharing;
mod sources;
mod support;
