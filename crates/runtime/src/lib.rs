//! What every service is built from: settings, telemetry, HTTP edge, outbox relay, shutdown.

pub mod deployment;
pub mod http;
pub mod infrastructure;
pub mod market_clock;
pub mod outgoing;
pub mod probes;
pub mod process;
pub mod relay;
pub mod settings;
mod shutdown;
pub mod telemetry;

pub use shutdown::{linked, shutdown_on_signal};
pub use tokio_util::sync::CancellationToken;

use futures::future::BoxFuture;

/// A service, ready to run: its routes, and its work until shutdown.
pub struct Service {
    /// Its part of the HTTP API, probes excluded.
    pub routes: axum::Router,
    /// Consumers, relays and reconcilers; ends when the shutdown token is cancelled, or with an error.
    pub work: BoxFuture<'static, anyhow::Result<()>>,
    /// What its readiness depends on.
    pub health: http::Health,
}
