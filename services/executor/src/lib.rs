//! The executor service: runs model-days in lanes, and publishes what happened.

mod agent;
mod api;
mod bundle;
mod cancel;
mod catch_up;
mod close;
mod commits;
mod config;
mod consume;
mod counts;
mod day;
mod end;
mod error;
mod jobs;
mod kept;
mod plan;
mod prices;
mod reconcile;
mod settle;
mod stops;
mod takings;
mod turn;

use std::sync::Arc;

use anyhow::Context as _;
use messaging::topology::queues;
use messaging::{ConsumerOptions, Hooks};
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, linked};
use storage::{Owner, PgPool};
use utoipa::openapi::OpenApi;

pub use agent::Searcher;
pub use config::{Config, search_engine};

/// What the parts of the service share.
pub(crate) struct Executor {
    config: Config,
    pool: PgPool,
    commits: commits::Commits,
    wake: Wake,
    jobs: jobs::Jobs,
    takings: takings::Takings,
    stops: stops::Stops,
    kept: kept::Kept,
    hopeless: catch_up::Hopeless,
    prices: prices::Prices,
    endpoints: agent::Endpoints,
    searcher: Option<agent::Searcher>,
}

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When Postgres does not answer.
pub async fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    let infrastructure = config.infrastructure.clone();
    let pool = storage::connect(&infrastructure.database, Owner::Executor)
        .await
        .context("connecting to Postgres")?;
    let health = runtime::probes::health(&pool, &infrastructure);
    let search = config.search.clone();
    let searcher = search.map(|(url, key)| agent::Searcher::new(url, key)).transpose();
    let executor = Arc::new(Executor {
        endpoints: agent::Endpoints::new().context("preparing calls of endpoints")?,
        searcher: searcher.context("preparing searches")?,
        prices: prices::Prices::new(config.calendar.clone()),
        jobs: jobs::Jobs::default(),
        takings: takings::Takings::default(),
        stops: stops::Stops::default(),
        kept: kept::Kept::default(),
        hopeless: catch_up::Hopeless::default(),
        wake: Wake::default(),
        commits: commits::Commits::start(pool.clone()),
        pool,
        config,
    });
    let relays = vec![Relay {
        pool: executor.pool.clone(),
        broker: infrastructure.broker.clone(),
        service: "executor",
        wake: executor.wake.clone(),
    }];
    let routes = api::routes().with_state(executor.clone());
    let work = async move {
        let broker = &infrastructure.broker;
        let plans = messaging::consume(
            broker,
            queues::EXECUTOR_PLANS,
            ConsumerOptions::new(4).with_hooks(plan_hooks(&executor)),
            consume::Plans(executor.clone()),
            shutdown.clone(),
        );
        let turns = messaging::consume(
            broker,
            queues::EXECUTOR_LANES,
            ConsumerOptions::new(executor.config.lanes_at_once).with_hooks(turn_hooks(&executor)),
            consume::Turns(executor.clone()),
            shutdown.clone(),
        );
        let agents = messaging::consume(
            broker,
            queues::EXECUTOR_AGENTS,
            ConsumerOptions::new(executor.config.agents_at_once).with_hooks(turn_hooks(&executor)),
            consume::AgentTurns(executor.clone()),
            shutdown.clone(),
        );
        let cancels = messaging::consume(
            broker,
            queues::EXECUTOR_CONTROL,
            ConsumerOptions::new(4).with_hooks(Hooks::default().link_span(runtime::telemetry::link_span)),
            cancel::Cancels(executor.clone()),
            shutdown.clone(),
        );
        let hints = messaging::listen_control(
            broker,
            ConsumerOptions::new(4),
            cancel::Hints(executor.clone()),
            shutdown.clone(),
        );
        let reconciler = executor.clone().reconcile(shutdown.clone());
        let (plans, turns, agents, cancels, hints, ()) = tokio::join!(
            linked(&shutdown, plans),
            linked(&shutdown, turns),
            linked(&shutdown, agents),
            linked(&shutdown, cancels),
            linked(&shutdown, hints),
            linked(&shutdown, reconciler),
        );
        plans.context("consuming plans")?;
        turns.context("consuming lanes")?;
        agents.context("consuming lanes of agents")?;
        cancels.context("consuming cancellations")?;
        hints.context("listening to hints")
    };
    Ok(Service { routes, work: Box::pin(work), relays, health })
}

/// The broker may have forgotten events: look into the downloader's outbox.
fn plan_hooks(executor: &Arc<Executor>) -> Hooks {
    let (subscribed, idle) = (executor.clone(), executor.clone());
    Hooks::default()
        .on_subscribed(move |_| {
            let executor = subscribed.clone();
            async move { executor.catch_up().await }
        })
        .on_idle(move || {
            let executor = idle.clone();
            async move { executor.catch_up().await }
        })
        .link_span(runtime::telemetry::link_span)
}

/// The broker may have forgotten turns: send them again.
fn turn_hooks(executor: &Arc<Executor>) -> Hooks {
    let executor = executor.clone();
    Hooks::default()
        .on_subscribed(move |subscribed| {
            let executor = executor.clone();
            async move {
                if subscribed.created || subscribed.earlier > 0 {
                    executor.resend(true).await;
                }
            }
        })
        .link_span(runtime::telemetry::link_span)
}

/// The description of its routes.
pub fn openapi() -> OpenApi {
    api::routes().into_openapi()
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
