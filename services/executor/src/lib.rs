//! The executor service: runs model-days in lanes, and publishes what happened.

mod agent;
mod api;
mod config;
mod error;
mod handlers;
mod housekeeping;
mod job;
mod key_store;
mod lane;
pub mod mcp;
mod messages;
mod metrics;
mod price_cache;
mod prices_read;
mod recovery;
mod rehearsal;
mod trial_call;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::job::pause::Queue;
use messaging::topology::queues;
use messaging::{BrokerConfig, ConsumeError, ConsumerOptions, Hooks, Probe};
use runtime::authentication::with_keyring;
use runtime::parts::Parts;
use runtime::pauses::Pauses;
use runtime::relay::{Relay, Wake};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, Start, Watched, linked};
use storage::Owner;
use tokio_util::task::AbortOnDropHandle;
use utoipa::openapi::OpenApi;

use crate::agent::{AgentDays, Endpoints};
use crate::api::ApiState;
use crate::handlers::{Cancels, Hints, Plans, Turns};
use crate::job::cache::JobCache;
use crate::job::cancellation::Canceller;
use crate::job::planner::JobPlanner;
use crate::job::stop_signal::StopSignals;
use crate::key_store::KeyStore;
use crate::lane::feeder::Feeder;
use crate::lane::presence::Holder;
use crate::lane::turn::{LaneKind, LaneRunner, Shared, Slices};
use crate::recovery::catch_up::CatchUp;
use crate::recovery::reconciler::Reconciler;
use crate::recovery::unplannable::Unplannable;
use crate::rehearsal::Rehearsals;

pub use agent::{EndpointAccess, Searcher};
pub use config::{Config, search_engine};
pub use housekeeping::Kept;
pub use lane::day_spans::{TracedDays, TracedDaysError};
pub use trial_call::{TrialAnswer, try_endpoint};

/// How long a message is worked on when nothing holds it up.
const RHYTHM: Duration = Duration::from_secs(5);
/// The same for a turn of an agent's lane: a slice and a last step with its retries.
const RHYTHM_OF_AGENTS: Duration = Duration::from_secs(1_800);

/// Builds the service: its routes, and its work until `shutdown`.
///
/// # Errors
/// When the address of Postgres is malformed, or the client of the endpoints cannot be built.
pub fn build(config: Config, shutdown: CancellationToken) -> anyhow::Result<Service> {
    metrics::declare();
    let infrastructure = config.infrastructure;
    let pool = storage::pool(&infrastructure.database, Owner::Executor)?;
    let (wake, parts) = (Wake::default(), Parts::default());
    let health = runtime::http::Health::new(Owner::Executor, &pool, &infrastructure, &parts);
    let broker = with_keyring(&infrastructure.broker);
    let searcher =
        config.search.map(|(url, key)| Searcher::new(&config.endpoints.outbound, url, key)).transpose();
    let searcher = searcher.context("preparing searches")?;
    let endpoints = Endpoints::new(config.endpoints).context("preparing calls of endpoints")?;
    let keys = KeyStore { pool: pool.clone(), endpoints: endpoints.clone() };
    let (callers, search) = (endpoints.clone(), searcher.clone());
    let agents = AgentDays::new(pool.clone(), wake.clone(), callers, search, config.agent_slice);

    let pauses = Pauses::default();
    let jobs = Arc::new(JobCache::default());
    let stop_signals = Arc::new(StopSignals::default());
    let unplannable = Arc::new(Unplannable::default());
    let feeder = Arc::new(Feeder::new(pool.clone(), wake.clone(), config.turns_in_line));
    let planner = JobPlanner::new(
        pool.for_long_statements(),
        wake.clone(),
        feeder.clone(),
        config.portfolios_planned_at_once,
    );
    let planner = Arc::new(planner);
    let catch_up = Arc::new(CatchUp::new(pool.clone(), planner.clone(), unplannable.clone()));
    let canceller = Arc::new(Canceller::new(pool.clone(), wake.clone(), jobs.clone(), stop_signals.clone()));
    let reconciler = Arc::new(Reconciler::new(
        pool.clone(),
        wake.clone(),
        canceller.clone(),
        pauses.clone(),
        config.patience,
        Probe::new(broker.clone()),
    ));
    let holder = Arc::new(Holder::default());
    let shared = Shared {
        pool: pool.clone(),
        wake: wake.clone(),
        jobs,
        stop_signals,
        reconciler: reconciler.clone(),
        feeder: feeder.clone(),
        pauses: pauses.clone(),
        holder: holder.clone(),
    };
    let slices = Slices { in_memory: config.slice, agents: config.agent_slice };
    let runner =
        Arc::new(LaneRunner::new(shared, slices, config.traced_days, config.calendar.clone(), agents));
    let turns = |kind| Turns { runner: runner.clone(), wake: wake.clone(), kind };
    let (in_memory, of_agents) = (turns(LaneKind::InMemory), turns(LaneKind::Agents));

    let relay = Relay {
        pool: pool.clone(),
        broker: broker.clone(),
        owner: Owner::Executor,
        schemas: infrastructure.schemas.clone(),
        wake,
        parts: parts.clone(),
        retention: infrastructure.outbox_retention,
    };
    let rehearsals = Rehearsals {
        pool: pool.clone(),
        calendar: config.calendar.clone(),
        endpoints,
        searcher,
        holder: holder.clone(),
    };
    let api = ApiState {
        pool: pool.for_requests().for_long_statements(),
        calendar: config.calendar,
        keys: keys.clone(),
        rehearsals: Arc::new(rehearsals),
        runner: runner.clone(),
    };
    let routes = api::routes().with_state(api);
    let start = Start {
        owner: Owner::Executor,
        database: infrastructure.database,
        pool: pool.clone(),
        broker: broker.clone(),
        parts: parts.clone(),
        shutdown: shutdown.clone(),
    };
    let start = start_service(start, keys.clone(), pauses.clone());
    let work = async move {
        let measured = pool.clone();
        let measuring = runtime::keep_measuring(pool.clone(), shutdown.clone(), move || {
            metrics::measure(measured.clone())
        });
        let housekeeping = housekeeping::keep_house(pool.clone(), config.kept, shutdown.clone());
        let shown = parts.add("executor: presence", RHYTHM);
        // Until the last turn in hand is over.
        let held = pool.clone();
        let _present = AbortOnDropHandle::new(tokio::spawn(async move { holder.keep(&held, &shown).await }));
        let options = ConsumerOptions::new;
        let traced = Hooks::default().link_span(runtime::telemetry::link_span);
        let of_agents = Watched::new(of_agents, parts.add("executor: turns of agents", RHYTHM_OF_AGENTS));
        let in_memory = Watched::new(in_memory, parts.add("executor: turns", RHYTHM));
        let plans = Watched::new(Plans { planner, unplannable }, parts.add("executor: plans", RHYTHM));
        let cancels = Watched::new(Cancels(canceller.clone()), parts.add("executor: cancellations", RHYTHM));
        let plans = messaging::consume(
            &broker,
            queues::EXECUTOR_PLANS,
            options(4).with_hooks(plan_hooks(&catch_up)),
            plans,
            shutdown.clone(),
        );
        let turns = TurnConsumer {
            broker: broker.clone(),
            queue: queues::EXECUTOR_LANES,
            options: options(config.lanes_at_once).with_hooks(turn_hooks(&reconciler)),
            turns: Arc::new(in_memory),
        };
        let turns_of_agents = TurnConsumer {
            broker: broker.clone(),
            queue: queues::EXECUTOR_AGENTS,
            options: options(config.agents_at_once).with_hooks(turn_hooks(&reconciler)),
            turns: Arc::new(of_agents),
        };
        let keeping =
            pauses.clone().keep(pool.clone(), parts.add("executor: pauses", RHYTHM), shutdown.clone());
        let cancels = messaging::consume(
            &broker,
            queues::EXECUTOR_CONTROL,
            options(4).with_hooks(traced),
            cancels,
            shutdown.clone(),
        );
        let hints = messaging::listen_control(&broker, options(4), Hints(canceller), shutdown.clone());
        let (reconciler, stop) = (reconciler.clone(), shutdown.clone());
        let (fed, stop_feeding) = (parts.clone(), shutdown.clone());
        let reloading = keys.on_hangup(shutdown.clone());
        let (plans, turns, turns_of_agents, cancels, hints, reloaded, (), (), (), (), ()) = tokio::join!(
            linked(&shutdown, plans),
            linked(&shutdown, turns.run(pauses.clone(), shutdown.clone())),
            linked(&shutdown, turns_of_agents.run(pauses, shutdown.clone())),
            linked(&shutdown, cancels),
            linked(&shutdown, hints),
            linked(&shutdown, reloading),
            linked(&shutdown, async move { Box::pin(reconciler.run(stop, &parts)).await }),
            linked(&shutdown, async move { feeder.run(stop_feeding, &fed).await }),
            linked(&shutdown, measuring),
            linked(&shutdown, housekeeping),
            linked(&shutdown, keeping),
        );
        plans.context("consuming plans")?;
        turns.context("consuming lanes")?;
        turns_of_agents.context("consuming lanes of agents")?;
        cancels.context("consuming cancellations")?;
        reloaded.context("listening to SIGHUP")?;
        hints.context("listening to hints")
    };
    Ok(Service { start: Box::pin(start), routes, work: Box::pin(work), relays: vec![relay], health })
}

/// The broker may have forgotten events: the downloader's outbox has them.
fn plan_hooks(catch_up: &Arc<CatchUp>) -> Hooks {
    let (subscribed, idle) = (catch_up.clone(), catch_up.clone());
    Hooks::default()
        .on_subscribed(move |_| {
            let catch_up = subscribed.clone();
            async move { catch_up.run().await }
        })
        .on_idle(move || {
            let catch_up = idle.clone();
            async move { catch_up.run().await }
        })
        .link_span(runtime::telemetry::link_span)
}

/// The broker may have forgotten turns: they are sent again, unless some stand in line.
fn turn_hooks(reconciler: &Arc<Reconciler>) -> Hooks {
    let reconciler = reconciler.clone();
    Hooks::default()
        .on_subscribed(move |subscribed| {
            let reconciler = reconciler.clone();
            async move {
                if subscribed.created
                    || (subscribed.earlier > 0 && reconciler.is_empty(&subscribed.queue).await)
                {
                    reconciler.send_all().await;
                }
            }
        })
        .link_span(runtime::telemetry::link_span)
}

/// Consumes the turns of one queue, unless they are paused.
struct TurnConsumer {
    broker: BrokerConfig,
    queue: &'static str,
    options: ConsumerOptions,
    turns: Arc<Watched<Turns>>,
}

impl TurnConsumer {
    async fn run(self, pauses: Pauses, shutdown: CancellationToken) -> Result<(), ConsumeError> {
        // At a pause, turns in hand are finished; after shutdown, `pauses` waits no longer than for others.
        let options = ConsumerOptions { grace: Duration::MAX, ..self.options };
        let consume = move |stop| {
            messaging::consume(&self.broker, self.queue, options.clone(), self.turns.clone(), stop)
        };
        pauses.unless_paused(Queue::Executor, shutdown, consume).await
    }
}

/// Starts, records which keys of endpoints there are, and reads what is paused.
async fn start_service(start: Start, keys: KeyStore, pauses: Pauses) -> anyhow::Result<()> {
    let (pool, part) = (start.pool.clone(), start.parts.add("executor: keys of endpoints", RHYTHM));
    start.run().await?;
    let record = || async {
        keys.record().await.context("recording which keys of endpoints there are")?;
        pauses.read(&pool).await.context("reading what is paused")
    };
    runtime::until_there(part, record).await
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
    let service = build(config, shutdown.clone())?;
    runtime::process::serve(service, address, telemetry, shutdown).await
}
