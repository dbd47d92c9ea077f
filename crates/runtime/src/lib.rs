//! The parts that every service is built from: settings, telemetry, HTTP server, outbox relay, shutdown.

pub mod access;
pub mod address;
pub mod audit;
pub mod authentication;
pub mod deployment;
mod error_text;
mod file_watch;
mod gauges;
pub mod http;
pub mod infrastructure;
pub mod market_clock;
mod open_files;
pub mod outbound;
pub mod outgoing;
pub mod parts;
pub mod pauses;
pub mod process;
mod public_url;
pub mod relay;
pub mod reloaded;
pub mod retention;
mod service;
pub mod settings;
mod shutdown;
mod start;
pub mod telemetry;
pub mod universe;
mod watched;

pub use error_text::error_text;
pub use gauges::{declare_metrics, keep_measuring};
pub use service::{Service, routes_of};
pub use shutdown::{Shutdown, linked, shutdown_on_signal};
pub use start::{Start, until_there};
pub use tokio_util::sync::CancellationToken;
pub use watched::Watched;
