//! Tests of whole systems: real processes, a real PostgreSQL and a real RabbitMQ; only the outside world is replaced
//! by stand-ins.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]
#![allow(clippy::print_stderr, reason = "the log of a failed test")]

mod binaries;
mod broker;
mod builder;
mod client;
mod cluster;
mod folder;
mod node_packages;
mod process;
mod program;
mod prometheus;
mod python_agent;
mod python_programs;
mod recorded_portfolios;
mod stack;
mod stream;
mod system;

pub use binaries::{binary, modelday};
pub use broker::Broker;
pub use builder::Builder;
pub use client::{Client, http};
pub use cluster::{Cluster, NODES};
pub use node_packages::node_packages;
pub use program::Program;
pub use prometheus::{Prometheus, prometheus_folder, prometheus_program};
pub use python_agent::PythonAgent;
pub use python_programs::python_programs;
pub use recorded_portfolios::{portfolios_are_the_recorded_ones, portfolios_of_each_are_the_recorded_ones};
pub use stack::Stack;
pub use stream::{Stream, StreamEvent, http_without_timeout};
pub use system::{Service, Shape, System};
