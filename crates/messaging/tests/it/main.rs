//! `messaging` against a real RabbitMQ. Each test has a virtual host of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod accounts;
mod addresses;
mod batches;
mod consuming;
mod emptying;
mod permissions;
mod probing;
mod publishing;
mod recovery;
mod support;
