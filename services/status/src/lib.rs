//! The status service: folds every event into a read model and serves it.

mod api;
mod catch_up;
mod config;
mod feed;
mod letters;
mod projector;
mod replay;
mod watermark;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use messaging::topology::queues;
use messaging::{BatchOptions, ConsumerOptions, Hooks};
use runtime::relay::{Relay, Wake};
use runtime::telemetry::{self, Telemetry};
use runtime::{CancellationToken, Service, linked};
use storage::{Owner, PgPool};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use api::Api;
use catch_up::CatchUp;
pub use config::{Config, Reading};
use feed::Feed;
use letters::Letters;
use projector::Projector;

/// How long events are gathered before they are projected together; nobody sees so short a delay.
const GATHERED: Duration = Duration::from_millis(10);

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When Postgres does not answer.
pub async fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    let infrastructure = config.infrastructure;
    let pool =
        storage::connect(&infrastructure.database, Owner::Status).await.context("connecting to Postgres")?;
    let health = runtime::probes::health(&pool, &infrastructure);
    let (feed, wake) = (Feed::new(pool.clone(), shutdown.clone()), Wake::default());
    let api = Api::new(pool.clone(), config.reading, feed.clone(), wake.clone());
    let relay = Relay { pool: pool.clone(), broker: infrastructure.broker.clone(), service: "status", wake };
    let work = async move {
        let projector = Arc::new(Projector { pool: pool.clone() });
        let catch_up = Arc::new(CatchUp::new(projector.clone()));
        let events = messaging::consume_batches(
            &infrastructure.broker,
            queues::STATUS_PROJECTION,
            BatchOptions { linger: GATHERED, hooks: hooks(&catch_up), ..BatchOptions::default() },
            projector,
            shutdown.clone(),
        );
        let letters = messaging::consume(
            &infrastructure.broker,
            queues::STATUS_DEAD_LETTERS,
            ConsumerOptions::new(16),
            Letters { pool },
            shutdown.clone(),
        );
        let (events, letters, ()) = tokio::join!(
            linked(&shutdown, events),
            linked(&shutdown, letters),
            linked(&shutdown, feed.run(infrastructure.database))
        );
        events.context("consuming events")?;
        letters.context("consuming dead letters")
    };
    Ok(Service { routes: api::routes().with_state(api), work: Box::pin(work), relays: vec![relay], health })
}

/// The routes alone, reading through `pool`: streams show what there is and nothing later, replays wait.
pub fn routes(pool: PgPool, reading: Reading) -> OpenApiRouter {
    let feed = Feed::new(pool.clone(), CancellationToken::new());
    api::routes().with_state(Api::new(pool, reading, feed, Wake::default()))
}

/// The description of its routes.
pub fn openapi() -> OpenApi {
    api::routes().into_openapi()
}

/// Builds the read model again from the event log, job by job, beside running services; answers how many.
///
/// # Errors
/// When Postgres refuses, or a logged event cannot be read.
pub async fn rebuild(config: &Config) -> anyhow::Result<usize> {
    let database = &config.infrastructure.database;
    let pool = storage::connect(database, Owner::Status).await.context("connecting to Postgres")?;
    let decode = |kind: &str, body: &str| {
        contract::decode_event(kind, body.as_bytes()).map_err(|problem| problem.to_string())
    };
    storage::status::rebuild_all(&pool, decode).await.context("building the read model again")
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

fn hooks(catch_up: &Arc<CatchUp>) -> Hooks {
    let (subscribed, idle) = (catch_up.clone(), catch_up.clone());
    Hooks::default()
        .on_subscribed(move |subscription| {
            let catch_up = subscribed.clone();
            async move {
                if subscription.created || subscription.earlier > 0 {
                    catch_up.run().await;
                }
            }
        })
        .on_idle(move || {
            let catch_up = idle.clone();
            async move { catch_up.run().await }
        })
        .link_span(telemetry::link_span)
}
