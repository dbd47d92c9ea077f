//! Finds out which prices are missing, fetches them within the provider's budgets, and says what can run.

mod api;
mod budget;
mod cancelled;
mod catch_up;
mod conclusion;
mod config;
mod days;
mod download;
mod fetch;
mod groups;
mod handler;
mod lease;
mod prepare;
mod prices;
mod progress;
pub mod provider;
mod queue;
mod sessions;
mod stop;
#[cfg(test)]
mod testing;
mod windows;
mod worker;

use std::sync::Arc;

use anyhow::Context as _;
use messaging::topology::queues;
use messaging::{ConsumerOptions, Hooks};
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, linked};
use storage::Owner;
use tokio::sync::{Notify, Semaphore};
use utoipa::openapi::OpenApi;

use api::{Api, Provider, Shared};
pub use config::Config;
use handler::Requests;
use worker::Workers;

/// How many requests are noted side by side.
const REQUESTS_AT_ONCE: u16 = 16;

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When Postgres does not answer, or the provider's client cannot be built.
pub async fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    let infrastructure = config.infrastructure.clone();
    let pool = storage::connect(&infrastructure.database, Owner::Downloader)
        .await
        .context("connecting to Postgres")?;
    let health = runtime::probes::health(&pool, &infrastructure);
    let (wake, due, hints) = (Wake::default(), Arc::new(Notify::new()), cancelled::Hints::default());
    let workers = Workers::new(&config, pool.clone(), wake.clone(), Arc::clone(&due), hints.clone())?;
    workers.note_source(&config).await.context("noting the source of prices")?;
    let relays = vec![Relay {
        pool: pool.clone(),
        broker: infrastructure.broker.clone(),
        service: "downloader",
        wake,
    }];
    let api = Api::new(Shared {
        pool: pool.clone(),
        calendar: config.calendar.clone(),
        provider: Provider {
            name: provider::alpha_vantage::NAME,
            plan: config.plan,
            windows: config.windows.clone(),
            budget_key: workers.budget_key(),
        },
        universe: config.universe,
        due: Arc::clone(&due),
        import_limit: config.import_limit,
        importing: Semaphore::new(1),
    });
    let routes = api::routes(config.import_limit).with_state(api);
    let work = async move {
        let requests = Requests { pool, due };
        let consumer = messaging::consume(
            &infrastructure.broker,
            queues::DOWNLOADER_JOBS,
            ConsumerOptions::new(REQUESTS_AT_ONCE).with_hooks(hooks(&requests)),
            requests,
            shutdown.clone(),
        );
        let listener = messaging::listen_control(
            &infrastructure.broker,
            ConsumerOptions::new(1),
            hints,
            shutdown.clone(),
        );
        let workers = workers.run(shutdown.clone());
        let (consumed, listened, ()) = tokio::join!(
            linked(&shutdown, consumer),
            linked(&shutdown, listener),
            linked(&shutdown, workers)
        );
        consumed.context("consuming job requests")?;
        listened.context("listening to hints")
    };
    Ok(Service { routes, work: Box::pin(work), relays, health })
}

/// The description of its routes.
pub fn openapi() -> OpenApi {
    api::routes(0).into_openapi()
}

/// Runs the service on its own address until `shutdown`, then finishes what is in hand.
///
/// # Errors
/// When a part of it cannot go on.
pub async fn run(config: Config, telemetry: &Telemetry, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = config.infrastructure.address.clone();
    let service = build(config, shutdown.clone()).await?;
    runtime::process::serve(service, address, telemetry, shutdown).await
}

/// The broker may have forgotten requests: trigger's outbox is looked through whenever that could be.
fn hooks(requests: &Requests) -> Hooks {
    let (after_loss, when_idle) = (requests.clone(), requests.clone());
    Hooks::default()
        .on_subscribed(move |event| {
            let requests = after_loss.clone();
            async move {
                if event.created || event.earlier > 0 {
                    catch_up::catch_up(&requests).await;
                }
            }
        })
        .on_idle(move || {
            let requests = when_idle.clone();
            async move { catch_up::catch_up(&requests).await }
        })
        .link_span(runtime::telemetry::link_span)
}
