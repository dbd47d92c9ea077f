//! Modelday end to end: real processes, real Postgres, real RabbitMQ; only the outside world has a stand-in.

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
mod process;
mod python;
mod recorded;
mod stream;
mod system;

pub use binaries::binary;
pub use binaries::modelday;
pub use broker::Broker;
pub use builder::Builder;
pub use client::{Client, http};
pub use python::python_programs;
pub use recorded::portfolios_are_the_recorded_ones;
pub use stream::{Stream, StreamEvent, patient_http};
pub use system::{Service, Shape, System};
