//! Finds out which prices a job misses, fetches them within the provider's call quota, and reports which dates
//! can run.

mod api;
mod config;
mod context;
mod download;
mod import;
mod intake;
mod metrics;
mod preparation;
mod provider;
mod server_time;
mod source_list;
#[cfg(test)]
mod testing;
mod trial_call;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use messaging::ConsumerOptions;
use runtime::authentication::with_keyring;
use runtime::parts::Parts;
use runtime::pauses::Pauses;
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, Start, linked};
use storage::Owner;
use tokio::sync::{Notify, Semaphore};
use utoipa::openapi::OpenApi;

use api::FileMemory;
use api::state::Api;
pub use config::Config;
use context::Context;
use import::Importer;
use intake::RequestHandler;
use preparation::cancellation::{CancelHints, Canceller};
use preparation::preparer::Preparer;
use preparation::worker::Workers;
use source_list::Sources;
pub use trial_call::try_source;

/// How long a look or a message takes when nothing holds it up.
const RHYTHM: Duration = Duration::from_secs(5);

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When the address of Postgres is malformed, or the provider's client cannot be built.
pub fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    let infrastructure = config.infrastructure.clone();
    let pool = storage::pool(&infrastructure.database, Owner::Downloader)?;
    let parts = Parts::default();
    let health = runtime::http::Health::new(Owner::Downloader, &pool, &infrastructure, &parts);
    let broker = with_keyring(&infrastructure.broker);
    let configured = (config.sources, config.hand_over);
    let sources = Sources::new(pool.clone(), config.max_quota_wait, configured)?;
    metrics::declare(&sources.current().sources);
    let start = Start {
        owner: Owner::Downloader,
        database: infrastructure.database,
        pool: pool.clone(),
        broker: broker.clone(),
        parts: parts.clone(),
        shutdown: shutdown.clone(),
    };
    let pauses = Pauses::default();
    let start = start_service(start, sources.clone(), pauses.clone());
    let measured = (pool.clone(), sources.clone());
    let measure = move || {
        let (pool, list) = (measured.0.clone(), measured.1.current());
        async move { metrics::measure(pool, &list.sources).await }
    };
    let (wake, due, hints) = (Wake::default(), Arc::new(Notify::new()), CancelHints::default());
    let relays = vec![Relay {
        pool: pool.clone(),
        broker: broker.clone(),
        owner: Owner::Downloader,
        schemas: infrastructure.schemas,
        wake: wake.clone(),
        parts: parts.clone(),
        retention: infrastructure.outbox_retention,
    }];
    let context = Arc::new(Context {
        pool: pool.clone(),
        calendar: config.calendar.clone(),
        wake: wake.clone(),
        pauses: pauses.clone(),
    });
    let for_requests = pool.for_requests().for_long_statements();
    let of_api =
        Arc::new(Context { pool: for_requests, calendar: config.calendar, wake, pauses: pauses.clone() });
    let api = Api {
        context: Arc::clone(&of_api),
        sources: sources.clone(),
        importer: Importer {
            context: of_api,
            due: Arc::clone(&due),
            permits: Semaphore::new(1),
            limit: config.import_limit,
        },
        file_memory: FileMemory::new(config.import_limit),
    };
    let routes = api::routes().with_state(Arc::new(api));
    let canceller = Canceller { context: Arc::clone(&context), hints: hints.clone() };
    let concurrency = config.download_concurrency;
    let preparer = Preparer { context, sources: sources.clone(), concurrency };
    let workers = Workers::new(preparer, config.preparations_at_once, Arc::clone(&due), hints.clone());
    let work = async move {
        let measuring = runtime::keep_measuring(pool.clone(), shutdown.clone(), measure);
        let part = parts.add("downloader: job requests", RHYTHM);
        let keeping = pauses.keep(pool.clone(), parts.add("downloader: pauses", RHYTHM), shutdown.clone());
        let requests = intake::consume(&broker, RequestHandler { pool, due }, part, shutdown.clone());
        let control = messaging::listen_control(&broker, ConsumerOptions::new(1), hints, shutdown.clone());
        let preparing = {
            let shutdown = shutdown.clone();
            let claims = parts.add("downloader: preparations", RHYTHM);
            let cancelled = parts.add("downloader: cancellations", RHYTHM);
            async move { tokio::join!(workers.run(shutdown.clone(), claims), canceller.run(shutdown, cancelled)) }
        };
        let reloading = sources.on_hangup(shutdown.clone());
        let (consumed, listened, ((), ()), reloaded, (), ()) = tokio::join!(
            linked(&shutdown, requests),
            linked(&shutdown, control),
            linked(&shutdown, preparing),
            linked(&shutdown, reloading),
            linked(&shutdown, measuring),
            linked(&shutdown, keeping)
        );
        consumed.context("consuming job requests")?;
        reloaded.context("listening to SIGHUP")?;
        listened.context("listening to cancel hints")
    };
    Ok(Service { start: Box::pin(start), routes, work: Box::pin(work), relays, health })
}

/// Starts, records the sources of prices, and reads what is paused.
async fn start_service(start: Start, sources: Sources, pauses: Pauses) -> anyhow::Result<()> {
    let part = start.parts.add("downloader: source of prices", RHYTHM);
    let pool = start.pool.clone();
    start.run().await?;
    let record = || {
        let (sources, pauses, pool) = (sources.clone(), pauses.clone(), pool.clone());
        async move {
            sources.record().await.context("recording the sources of prices")?;
            pauses.read(&pool).await.context("reading what is paused")
        }
    };
    runtime::until_there(part, record).await
}

/// The OpenAPI description of the service's routes.
pub fn openapi() -> OpenApi {
    api::routes().into_openapi()
}

/// Runs the service on its own address until `shutdown`, then finishes the work in progress.
///
/// # Errors
/// When a part of it cannot go on.
pub async fn run(config: Config, telemetry: &Telemetry, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = config.infrastructure.address.clone();
    let service = build(config, shutdown.clone())?;
    runtime::process::serve(service, address, telemetry, shutdown).await
}
