//! The trigger service: validates a request, stores the job with its message in one transaction, and responds.

mod accept;
mod admission;
mod api;
mod cancel;
pub mod catalogue;
mod config;
mod dry_run;
mod housekeeping;
mod retry;

use std::sync::Arc;

use anyhow::Context as _;
use messaging::topology::queues;
use messaging::{ConsumerOptions, Hooks};
use runtime::authentication::with_keys;
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, linked};
use storage::Owner;
use utoipa::openapi::OpenApi;

use accept::Acceptor;
pub use config::Config;

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When Postgres does not answer.
pub async fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    let infrastructure = config.infrastructure.clone();
    let pool =
        storage::connect(&infrastructure.database, Owner::Trigger).await.context("connecting to Postgres")?;
    let wake = Wake::default();
    let health = runtime::http::Health::new(&pool, &infrastructure);
    let broker = with_keys(&infrastructure.broker, &pool, &shutdown).await?;
    let acceptor = Acceptor { config: Arc::new(config), pool: pool.clone(), wake: wake.clone() };
    let relays = vec![Relay { pool: pool.clone(), broker: broker.clone(), service: "trigger", wake }];
    let work = async move {
        let catch_up = {
            let pool = pool.clone();
            move || admission::catch_up(pool.clone())
        };
        let hooks = Hooks::default()
            .on_subscribed({
                let catch_up = catch_up.clone();
                move |_| catch_up()
            })
            .on_idle(catch_up)
            .link_span(runtime::telemetry::link_span);
        let consumer = messaging::consume(
            &broker,
            queues::TRIGGER_JOBS,
            ConsumerOptions::new(16).with_hooks(hooks),
            admission::EndedJobs { pool: pool.clone() },
            shutdown.clone(),
        );
        let housekeeping = housekeeping::keep_house(pool.clone(), shutdown.clone());
        let (consumed, ()) = tokio::join!(linked(&shutdown, consumer), linked(&shutdown, housekeeping));
        consumed.context("consuming ended jobs")
    };
    Ok(Service { routes: api::routes().with_state(acceptor), work: Box::pin(work), relays, health })
}

/// The OpenAPI description of its routes.
pub fn openapi() -> OpenApi {
    api::routes().into_openapi()
}

/// Runs the service on its own address until `shutdown`, then finishes the work in progress.
///
/// # Errors
/// When a part of it fails.
pub async fn run(config: Config, telemetry: &Telemetry, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = config.infrastructure.address.clone();
    let service = build(config, shutdown.clone()).await?;
    runtime::process::serve(service, address, telemetry, shutdown).await
}
