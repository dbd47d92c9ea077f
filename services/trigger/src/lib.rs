//! The trigger service: validates a request, stores the job with its message in one transaction, and responds.

mod accept;
mod admission;
mod agents_on_offer;
mod api;
mod cancel;
pub mod catalogue;
mod catalogue_store;
mod config;
mod current;
mod dry_run;
mod files;
mod housekeeping;
mod metrics;
mod pauses;
mod readiness;
mod reload;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use messaging::topology::queues;
use messaging::{ConsumerOptions, Hooks};
use runtime::authentication::with_keyring;
use runtime::parts::Parts;
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, Start, Watched, audit, linked};
use storage::Owner;
use utoipa::openapi::OpenApi;

use accept::Acceptor;
use catalogue_store::CatalogueStore;
pub use config::Config;
use pauses::PauseGauges;

/// How long a message is worked on when nothing holds it up.
const RHYTHM: Duration = Duration::from_secs(5);

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When the address of Postgres is malformed.
pub fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    metrics::declare();
    let infrastructure = config.infrastructure.clone();
    let pool = storage::pool(&infrastructure.database, Owner::Trigger)?;
    let (wake, parts) = (Wake::default(), Parts::default());
    let health = runtime::http::Health::new(Owner::Trigger, &pool, &infrastructure, &parts);
    let broker = with_keyring(&infrastructure.broker);
    let store = CatalogueStore::new(pool.clone(), config.endpoints.clone());
    let config = Arc::new(config);
    let for_requests = pool.for_requests();
    let catalogue = store.over(for_requests.clone());
    let acceptor =
        Acceptor { config: Arc::clone(&config), catalogue, pool: for_requests, wake: wake.clone() };
    let relay = Relay {
        pool: pool.clone(),
        broker: broker.clone(),
        owner: Owner::Trigger,
        schemas: infrastructure.schemas.clone(),
        wake,
        parts: parts.clone(),
        retention: infrastructure.outbox_retention,
    };
    let start = Start {
        owner: Owner::Trigger,
        database: infrastructure.database,
        pool: pool.clone(),
        broker: broker.clone(),
        parts: parts.clone(),
        shutdown: shutdown.clone(),
    };
    let files = config.files.clone();
    let start = take_files(start, store.clone(), config);
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
            Watched::new(
                admission::EndedJobs { pool: pool.clone() },
                parts.add("trigger: ended jobs", RHYTHM),
            ),
            shutdown.clone(),
        );
        let housekeeping = housekeeping::keep_house(pool.clone(), shutdown.clone());
        let measured = (pool.clone(), PauseGauges::default());
        let measuring = runtime::keep_measuring(pool.clone(), shutdown.clone(), move || {
            let (pool, pauses) = measured.clone();
            async move {
                metrics::measure(&pool).await?;
                pauses.measure(&pool).await
            }
        });
        let reloading = reload::on_hangup(files, store, shutdown.clone());
        let (consumed, (), (), reloaded) = tokio::join!(
            linked(&shutdown, consumer),
            linked(&shutdown, housekeeping),
            linked(&shutdown, measuring),
            linked(&shutdown, reloading)
        );
        consumed.context("consuming ended jobs")?;
        reloaded.context("listening to SIGHUP")
    };
    Ok(Service {
        start: Box::pin(start),
        routes: api::routes().with_state(acceptor),
        work: Box::pin(work),
        relays: vec![relay],
        health,
    })
}

/// Starts, and takes what has changed in the files of models and of the universe.
async fn take_files(start: Start, store: CatalogueStore, config: Arc<Config>) -> anyhow::Result<()> {
    const BY: &str = "start";
    let part = start.parts.add("trigger: models and universe", RHYTHM);
    start.run().await?;
    let take = || {
        let (store, config) = (store.clone(), Arc::clone(&config));
        async move {
            let (models, universe) = (config.catalogue.clone(), config.universe.clone());
            let taken = reload::take(&config.files, Ok(models), Ok(universe), &store, BY).await;
            let taken = taken.context("storing the models and the universe")?;
            readiness::report(&store).await.context("looking up the keys of models")?;
            Ok(taken)
        }
    };
    let reports = runtime::until_there(part, take).await?;
    for report in reports {
        report.record(|action, subject| audit::record_of_process(BY, action, subject));
    }
    Ok(())
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
    let service = build(config, shutdown.clone())?;
    runtime::process::serve(service, address, telemetry, shutdown).await
}
