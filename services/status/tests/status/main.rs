//! The status service against a real Postgres and a real RabbitMQ; `make test` provides them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod board;
mod consuming;

mod dead_letters;
mod event_selection;
mod events;
mod jobs;
mod leaderboard;
mod results;
mod schemas;
mod tables;
mod traces;
mod trials;
mod world;
