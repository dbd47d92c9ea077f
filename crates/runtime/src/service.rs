//! A service as its parts, and the order in which they stop.

use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use futures::future::{BoxFuture, join_all};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::address::Address;
use crate::http::{self, Health, Problem};
use crate::relay::Relay;
use crate::shutdown::{Shutdown, linked};

/// A service, ready to run: its routes, and its work until shutdown.
pub struct Service {
    /// What comes before the work; it waits for servers that are away, while the probes and the routes are served.
    pub start: BoxFuture<'static, anyhow::Result<()>>,
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
        let Self { start, routes, work, relays, health } = self;
        let (started, writers_done) = (health.started(), CancellationToken::new());
        let relays = {
            let (started, writers_done) = (started.clone(), writers_done.clone());
            async move {
                // Before the start there may be no outbox.
                tokio::select! {
                    biased;
                    () = started.cancelled() => {}
                    () = writers_done.cancelled() => return,
                }
                join_all(relays.into_iter().map(|relay| relay.run(writers_done.clone()))).await;
            }
        };
        let work = {
            let shutdown = shutdown.clone();
            async move {
                let Some(ready) = shutdown.run_until_cancelled(start).await else { return Ok(()) };
                ready?;
                started.cancel();
                work.await
            }
        };
        let port_closes = CancellationToken::new();
        let stop = Shutdown { begun: shutdown.clone(), port_closes: port_closes.clone() };
        let routes = routes.layer(middleware::from_fn_with_state(health.started(), until_started));
        let server = Box::pin(http::serve(listener, routes.merge(probes), address, stop));
        let work = async {
            let _then = port_closes.clone().drop_guard();
            let told = async {
                shutdown.cancelled().await;
                tokio::time::sleep(NOTICE).await;
            };
            tokio::join!(linked(shutdown, work), told).0
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
        let ((worked, served, ()), ()) = tokio::join!(writers, relays);
        worked?;
        served.context("serving HTTP")
    }
}

/// Routes whose requests belong, in traces, to a service among several of one process.
pub fn routes_of(service: &'static str, routes: OpenApiRouter) -> OpenApiRouter {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        tracing::Span::current().record("service", service);
        next.run(request)
    }))
}

/// Refuses requests before the start is over.
async fn until_started(State(started): State<CancellationToken>, request: Request, next: Next) -> Response {
    if started.is_cancelled() {
        return next.run(request).await;
    }
    let detail = "The service waits for its servers; try again in a moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1).into_response()
}
