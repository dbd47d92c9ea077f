//! `modelday serve`: the four services in one process. They communicate through broker and database all the same.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use messaging::BrokerConfig;
use runtime::address::Address;
use runtime::deployment::Deployment;
use runtime::infrastructure::{Infrastructure, database, development};
use runtime::parts::Parts;
use runtime::settings::{Mistakes, Settings};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, linked, routes_of};
use storage::{Database, Development};

use crate::migrate::{self, SERVICES};

/// How long bringing the database up to date may take before the start counts as slow.
const START_RHYTHM: Duration = Duration::from_secs(600);

/// Settings of all services.
struct Config {
    address: Address,
    deployment: Deployment,
    /// The database, with the account that migrates it.
    database: Database,
    /// With `DEPLOYMENT_MODE=DEV` only.
    development: Option<Development>,
    /// The broker, with the account of each service.
    brokers: [BrokerConfig; 4],
    trigger: trigger::Config,
    downloader: downloader::Config,
    executor: executor::Config,
    status: status::Config,
}

pub(crate) async fn main() -> ExitCode {
    runtime::process::run("modelday", |telemetry, shutdown| async move {
        Box::pin(serve(Config::load()?, telemetry, shutdown)).await
    })
    .await
}

impl Config {
    /// Reads the settings of all services. The error lists every mistake at once.
    fn load() -> Result<Self, Mistakes> {
        let mut settings = Settings::load();
        let each = Infrastructure::of_services(&mut settings, SERVICES, "modelday", 8080);
        let deployment = Deployment::from_settings(&mut settings);
        let database = database(&mut settings, &["modelday"], deployment);
        let development = if deployment.is_dev_mode { development(&mut settings, "modelday") } else { None };
        let [for_trigger, for_downloader, for_executor, for_status] = each.clone();
        let trigger = trigger::Config::read(&mut settings, for_trigger);
        let downloader = downloader::Config::read(&mut settings, for_downloader);
        let executor = executor::Config::read(&mut settings, for_executor);
        let status = status::Config::read(&mut settings, for_status);
        let complete = || {
            let [Some(a), Some(b), Some(c), Some(d)] = each else { return None };
            Some(Self {
                address: a.address,
                deployment,
                database: database?,
                development,
                brokers: [a.broker, b.broker, c.broker, d.broker],
                trigger: trigger?,
                downloader: downloader?,
                executor: executor?,
                status: status?,
            })
        };
        settings.finish(complete())
    }
}

async fn serve(config: Config, telemetry: &Telemetry, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = config.address;
    let trigger = trigger::build(config.trigger, shutdown.clone())?;
    let downloader = downloader::build(config.downloader, shutdown.clone())?;
    let executor = executor::build(config.executor, shutdown.clone())?;
    let status = status::build(config.status, shutdown.clone())?;
    let parts = Parts::default();
    let health = trigger.health.joined(downloader.health).joined(executor.health).joined(status.health);
    let health = health.watching(&parts);
    let start = {
        let part = parts.add("database", START_RHYTHM);
        let schema = Schema {
            database: config.database,
            development: config.development,
            brokers: config.brokers,
            deployment: config.deployment,
        };
        async move {
            runtime::until_there(part, || schema.clone().prepare()).await?;
            downloader.start.await?;
            // Before trigger, which says at its start which models lack a key.
            executor.start.await?;
            trigger.start.await?;
            status.start.await
        }
    };
    let work = {
        let shutdown = shutdown.clone();
        async move {
            let (trigger, downloader, executor, status) = tokio::join!(
                linked(&shutdown, trigger.work),
                linked(&shutdown, downloader.work),
                linked(&shutdown, executor.work),
                linked(&shutdown, status.work),
            );
            trigger.context("trigger")?;
            downloader.context("downloader")?;
            executor.context("executor")?;
            status.context("status")
        }
    };
    let routes = routes_of("trigger", trigger.routes)
        .merge(routes_of("downloader", downloader.routes))
        .merge(routes_of("executor", executor.routes))
        .merge(routes_of("status", status.routes));
    let relays = [trigger.relays, downloader.relays, executor.relays, status.relays].concat();
    let service = Service { start: Box::pin(start), routes, work: Box::pin(work), relays, health };
    runtime::process::serve(service, address, telemetry, shutdown).await
}

/// What brings the database up to date.
#[derive(Clone)]
struct Schema {
    database: Database,
    development: Option<Development>,
    brokers: [BrokerConfig; 4],
    deployment: Deployment,
}

impl Schema {
    async fn prepare(self) -> anyhow::Result<()> {
        let Some(development) = self.development else {
            let migrated = storage::migrate(&self.database.url).await;
            return migrated.context("bringing the database up to date");
        };
        migrate::prepare(&development).await?;
        migrate::reset(&development, &self.brokers, self.deployment).await
    }
}
