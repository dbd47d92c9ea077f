//! Finds out which prices a job misses, fetches them within the provider's call quota, and reports which dates
//! can run.

mod api;
mod config;
mod context;
mod download;
mod import;
mod intake;
mod preparation;
mod provider;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use anyhow::Context as _;
use messaging::ConsumerOptions;
use runtime::authentication::with_keys;
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, linked};
use storage::Owner;
use tokio::sync::{Notify, Semaphore};
use utoipa::openapi::OpenApi;

use api::state::{Api, ProviderInfo};
pub use config::Config;
use context::Context;
use download::Downloader;
use download::source::{self, PriceSource};
use import::Importer;
use intake::RequestHandler;
use preparation::cancellation::{CancelHints, Canceller};
use preparation::preparer::Preparer;
use preparation::worker::Workers;

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When Postgres cannot be reached, or the provider's client cannot be built.
pub async fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    let infrastructure = config.infrastructure.clone();
    let pool = storage::connect(&infrastructure.database, Owner::Downloader)
        .await
        .context("connecting to Postgres")?;
    let health = runtime::http::Health::new(&pool, &infrastructure);
    let broker = with_keys(&infrastructure.broker, &pool, &shutdown).await?;
    let source = PriceSource::from_config(&config, &pool)?;
    source::record(&pool, source.as_ref()).await.context("recording the source of prices")?;
    let (wake, due, hints) = (Wake::default(), Arc::new(Notify::new()), CancelHints::default());
    let relays =
        vec![Relay { pool: pool.clone(), broker: broker.clone(), service: "downloader", wake: wake.clone() }];
    let context = Arc::new(Context { pool: pool.clone(), calendar: config.calendar, wake });
    let api = Api {
        context: Arc::clone(&context),
        universe: config.universe,
        provider: ProviderInfo {
            name: provider::alpha_vantage::NAME,
            plan: config.plan,
            windows: config.windows,
            quota_key: source.as_ref().map(|source| source.quota.key.clone()),
        },
        importer: Importer {
            context: Arc::clone(&context),
            due: Arc::clone(&due),
            permits: Semaphore::new(1),
        },
        import_limit: config.import_limit,
    };
    let routes = api::routes(config.import_limit).with_state(Arc::new(api));
    let canceller = Canceller { context: Arc::clone(&context), hints: hints.clone() };
    let downloader = source.map(|source| Downloader {
        context: Arc::clone(&context),
        source: Arc::new(source),
        concurrency: config.download_concurrency,
    });
    let preparer = Preparer { context, downloader };
    let workers = Workers::new(preparer, config.preparations_at_once, Arc::clone(&due), hints.clone());
    let work = async move {
        let requests = intake::consume(&broker, RequestHandler { pool, due }, shutdown.clone());
        let control = messaging::listen_control(&broker, ConsumerOptions::new(1), hints, shutdown.clone());
        let preparing = {
            let shutdown = shutdown.clone();
            async move { tokio::join!(workers.run(shutdown.clone()), canceller.run(shutdown)) }
        };
        let (consumed, listened, ((), ())) = tokio::join!(
            linked(&shutdown, requests),
            linked(&shutdown, control),
            linked(&shutdown, preparing)
        );
        consumed.context("consuming job requests")?;
        listened.context("listening to cancel hints")
    };
    Ok(Service { routes, work: Box::pin(work), relays, health })
}

/// The OpenAPI description of the service's routes.
pub fn openapi() -> OpenApi {
    api::routes(0).into_openapi()
}

/// Runs the service on its own address until `shutdown`, then finishes the work in progress.
///
/// # Errors
/// When a part of it cannot go on.
pub async fn run(config: Config, telemetry: &Telemetry, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = config.infrastructure.address.clone();
    let service = build(config, shutdown.clone()).await?;
    runtime::process::serve(service, address, telemetry, shutdown).await
}
