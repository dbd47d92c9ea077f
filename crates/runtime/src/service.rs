//! A service as its parts, and the order in which they stop.

use std::time::Duration;

use anyhow::Context as _;
use futures::future::{BoxFuture, join_all};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::address::Address;
use crate::http::{self, Health};
use crate::relay::Relay;
use crate::shutdown::{Shutdown, linked};

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

/// How long responses say that their connections close, at least, before the port does.
const NOTICE: Duration = Duration::from_millis(300);
/// How long the work may take after shutdown before the port closes without waiting for it.
const WORK_GRACE: Duration = Duration::from_secs(18);

impl Service {
    /// Works until `shutdown`, and serves its routes and `probes` on `listener`. The work stops first, while callers are
    /// still answered; then the port closes and the last requests are finished. The relays stop last, so that they send
    /// what the work and the requests have committed.
    ///
    /// # Errors
    /// When a part of the service fails, which stops all others.
    pub async fn run(
        self,
        listener: TcpListener,
        address: Address,
        probes: OpenApiRouter,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
        let writers_done = CancellationToken::new();
        let relays = join_all(self.relays.into_iter().map(|relay| relay.run(writers_done.clone())));
        let port_closes = CancellationToken::new();
        let stop = Shutdown { begun: shutdown.clone(), port_closes: port_closes.clone() };
        let server = Box::pin(http::serve(listener, self.routes.merge(probes), address, stop));
        let work = async {
            let _then = port_closes.clone().drop_guard();
            let told = async {
                shutdown.cancelled().await;
                tokio::time::sleep(NOTICE).await;
            };
            tokio::join!(linked(shutdown, self.work), told).0
        };
        let overdue = async {
            shutdown.cancelled().await;
            let _ = timeout(WORK_GRACE, port_closes.cancelled()).await;
            port_closes.cancel();
        };
        let writers = async {
            let _then = writers_done.clone().drop_guard();
            tokio::join!(work, linked(shutdown, server), overdue)
        };
        let ((worked, served, ()), _) = tokio::join!(writers, relays);
        worked?;
        served.context("serving HTTP")
    }
}
