//! `messaging` against a real RabbitMQ. Each test has a virtual host of its own.

mod batches;
mod consuming;
mod publishing;
mod recovery;
mod support;
