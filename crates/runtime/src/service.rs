//! A service as its parts, and in which order they end.

use anyhow::Context as _;
use futures::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::http::Health;
use crate::linked;
use crate::relay::Relay;

/// A service, ready to run: its routes, and its work until shutdown.
pub struct Service {
    /// Its part of the HTTP API, probes excluded.
    pub routes: OpenApiRouter,
    /// Consumers and reconcilers; ends when the shutdown token is cancelled, or with an error.
    pub work: BoxFuture<'static, anyhow::Result<()>>,
    /// The relays of the outboxes that its work and its routes write.
    pub relays: Vec<Relay>,
    /// What its readiness depends on.
    pub health: Health,
}

impl Service {
    /// Works until `shutdown`, with `server` answering its routes. The relays end last, so that what the work
    /// and the requests in hand have committed is sent.
    ///
    /// # Errors
    /// When a part of the service cannot go on; all others have been told to stop then.
    pub async fn run(
        self,
        server: impl Future<Output = anyhow::Result<()>> + Send + 'static,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
        let quiet = CancellationToken::new();
        let relays = join_all(self.relays.into_iter().map(|relay| relay.run(quiet.clone())));
        let writers = async {
            let _then = quiet.clone().drop_guard();
            tokio::join!(linked(shutdown, self.work), linked(shutdown, server))
        };
        let ((worked, served), _) = tokio::join!(writers, relays);
        worked?;
        served.context("serving HTTP")
    }
}
