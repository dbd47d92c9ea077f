//! The status service: folds every event into a read model and serves it.

mod api;
mod config;
mod dead_letter_replay;
mod dead_letters;
mod feed;
mod housekeeping;
mod metrics;
mod projector;
mod recovery;
mod succession;
mod trace_links;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use messaging::topology::queues;
use messaging::{BatchOptions, BrokerConfig, ConsumeError, ConsumerOptions, Hooks};
use runtime::authentication::with_keyring;
use runtime::parts::{Part, Parts};
use runtime::pauses::Pauses;
use runtime::relay::{Relay, Wake};
use runtime::telemetry::{self, Telemetry};
use runtime::{CancellationToken, Service, Start, Watched, linked};
use storage::{Owner, PgPool};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use api::{Api, Replays};
pub use config::{ApiSettings, Config};
use dead_letters::DeadLetterStore;
use feed::Feed;
use projector::Projector;
use recovery::CatchUp;
use succession::Succession;
pub use trace_links::TraceLinks;

/// How long events are collected to be projected together, which costs less.
const LINGER: Duration = Duration::from_millis(10);
/// How long a message is worked on when nothing holds it up.
const RHYTHM: Duration = Duration::from_secs(5);

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When the address of Postgres is malformed.
pub fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    metrics::declare();
    let infrastructure = config.infrastructure;
    let pool = storage::pool(&infrastructure.database, Owner::Status)?;
    let parts = Parts::default();
    let health = runtime::http::Health::new(Owner::Status, &pool, &infrastructure, &parts);
    let broker = with_keyring(&infrastructure.broker);
    let (feed, wake) = (Feed::new(pool.clone(), shutdown.clone()), Wake::default());
    let replays = Replays { wake: wake.clone(), authentication: broker.authentication().clone() };
    let for_requests = pool.for_requests().for_long_statements();
    let pauses = Pauses::default();
    let api = Api::new(for_requests, config.api, feed.clone(), replays, pauses.clone());
    let relay = Relay {
        pool: pool.clone(),
        broker: broker.clone(),
        owner: Owner::Status,
        schemas: infrastructure.schemas.clone(),
        wake,
        parts: parts.clone(),
        retention: infrastructure.outbox_retention,
    };
    let start = Start {
        owner: Owner::Status,
        database: infrastructure.database.clone(),
        pool: pool.clone(),
        broker: broker.clone(),
        parts: parts.clone(),
        shutdown: shutdown.clone(),
    };
    let work = async move {
        let projection = parts.add("status: projection", RHYTHM);
        let events = project(pool.clone(), broker.clone(), projection, shutdown.clone());
        let letters = messaging::consume(
            &broker,
            queues::STATUS_DEAD_LETTERS,
            ConsumerOptions::new(16),
            Watched::new(DeadLetterStore { pool: pool.clone() }, parts.add("status: dead letters", RHYTHM)),
            shutdown.clone(),
        );
        let measured = pool.clone();
        let measuring = runtime::keep_measuring(pool.clone(), shutdown.clone(), move || {
            metrics::measure(measured.clone())
        });
        let keeping = pauses.keep(pool.clone(), parts.add("status: pauses", RHYTHM), shutdown.clone());
        let housekeeping = housekeeping::keep_house(pool, config.dead_letter_days, shutdown.clone());
        let (events, letters, (), (), (), ()) = tokio::join!(
            linked(&shutdown, events),
            linked(&shutdown, letters),
            linked(&shutdown, feed.run(infrastructure.database, parts.add("status: feed", RHYTHM))),
            linked(&shutdown, housekeeping),
            linked(&shutdown, measuring),
            linked(&shutdown, keeping)
        );
        events.context("consuming events")?;
        letters.context("consuming dead letters")
    };
    let routes = api::routes().with_state(api);
    Ok(Service { start: Box::pin(start.run()), routes, work: Box::pin(work), relays: vec![relay], health })
}

/// The routes alone, without the service's work: streams get no new events, and replayed messages are not published.
pub fn routes(pool: PgPool, settings: ApiSettings) -> OpenApiRouter {
    let feed = Feed::new(pool.clone(), CancellationToken::new());
    api::routes().with_state(Api::new(pool, settings, feed, Replays::default(), Pauses::default()))
}

/// The OpenAPI description of its routes.
pub fn openapi() -> OpenApi {
    api::routes().into_openapi()
}

/// Builds the read model again from the event log, job by job, while services may run. Returns the number of jobs.
///
/// # Errors
/// When Postgres refuses a statement, or a logged event cannot be decoded.
pub async fn rebuild(config: &Config) -> anyhow::Result<usize> {
    let database = &config.infrastructure.database;
    let pool = storage::connect(database, Owner::Status).await.context("connecting to Postgres")?;
    let decode = |kind: &str, body: &str| {
        contract::decode_event(kind, body.as_bytes()).map_err(|problem| problem.to_string())
    };
    storage::status::rebuild_all(&pool.for_long_statements(), decode)
        .await
        .context("building the read model again")
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

/// Projects events whenever no other process does, until `shutdown`.
async fn project(
    pool: PgPool,
    broker: BrokerConfig,
    part: Part,
    shutdown: CancellationToken,
) -> Result<(), ConsumeError> {
    let catch_up = Arc::new(CatchUp::new(pool.for_long_statements()));
    let succession = Succession { pool, part: part.clone(), shutdown };
    let project = |lock, end: CancellationToken| {
        let projector = Arc::new(Projector { lock });
        let hooks = hooks(&catch_up, &projector, &end);
        let options = BatchOptions { linger: LINGER, hooks, ..BatchOptions::default() };
        let projector = Watched::new(projector, part.clone());
        messaging::consume_batches(&broker, queues::STATUS_PROJECTION, options, projector, end)
    };
    succession.run(project).await
}

/// Events may have been lost, or sent before there was a queue for them: the outboxes have them. Looks for them until
/// `end`.
fn hooks(catch_up: &Arc<CatchUp>, projector: &Arc<Projector>, end: &CancellationToken) -> Hooks {
    let look = {
        let (catch_up, projector, end) = (catch_up.clone(), projector.clone(), end.clone());
        move || {
            let (catch_up, projector, end) = (catch_up.clone(), projector.clone(), end.clone());
            async move {
                end.run_until_cancelled(catch_up.run(&projector)).await;
            }
        }
    };
    let subscribed = look.clone();
    Hooks::default().on_subscribed(move |_| subscribed()).on_idle(look).link_span(telemetry::link_batch)
}
