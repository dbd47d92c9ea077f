//! A service as its parts, and the order in which they stop.

use anyhow::Context as _;
use futures::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::http::Health;
use crate::linked;
use crate::relay::Relay;

/// A service, ready to run: its routes, and its work until shutdown.
pub struct Service {
    /// Its part of the HTTP API, without the probes.
    pub routes: OpenApiRouter,
    /// Consumers and reconcilers; ends when the shutdown token is cancelled, or with an error.
    pub work: BoxFuture<'static, anyhow::Result<()>>,
    /// The relays of the outboxes that its work and its routes write to.
    pub relays: Vec<Relay>,
    /// Its dependencies.
    pub health: Health,
}

impl Service {
    /// Works until `shutdown`, while `server` serves its routes. The relays stop last, so that they send what the work
    /// and the last requests have committed.
    ///
    /// # Errors
    /// When a part of the service fails, which stops all others.
    pub async fn run(
        self,
        server: impl Future<Output = anyhow::Result<()>> + Send + 'static,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
        let writers_done = CancellationToken::new();
        let relays = join_all(self.relays.into_iter().map(|relay| relay.run(writers_done.clone())));
        let writers = async {
            let _then = writers_done.clone().drop_guard();
            tokio::join!(linked(shutdown, self.work), linked(shutdown, server))
        };
        let ((worked, served), _) = tokio::join!(writers, relays);
        worked?;
        served.context("serving HTTP")
    }
}
