//! What the runtime does with a real Postgres and a real RabbitMQ; `make test` provides them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod relay;
