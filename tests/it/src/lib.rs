//! Modelday end to end: real processes, real Postgres, real RabbitMQ; only the outside world has a stand-in.

mod binaries;
mod builder;
mod client;
mod process;
mod system;

pub use builder::Builder;
pub use client::Client;
pub use system::{Service, Shape, System};
