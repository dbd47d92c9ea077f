//! `modelday serve`: the four services in one process. They communicate through broker and database all the same.

use std::process::ExitCode;

use anyhow::Context as _;
use runtime::infrastructure::{Infrastructure, development};
use runtime::settings::{Mistakes, Settings};
use runtime::telemetry::Telemetry;
use runtime::{CancellationToken, Service, linked};
use storage::Development;

use crate::migrate;

/// Settings of all services.
struct Config {
    infrastructure: Infrastructure,
    /// With `DEPLOYMENT_MODE=DEV` only.
    development: Option<Development>,
    trigger: trigger::Config,
    downloader: downloader::Config,
    executor: executor::Config,
    status: status::Config,
}

pub(crate) async fn main() -> ExitCode {
    runtime::process::run("modelday", |telemetry, shutdown| async move {
        let config = Config::load()?;
        match &config.development {
            Some(development) => {
                migrate::prepare(development).await?;
                let Infrastructure { broker, deployment, .. } = &config.infrastructure;
                migrate::reset(development, broker, *deployment).await?;
            }
            None => storage::migrate(&config.infrastructure.database.url)
                .await
                .context("bringing the database up to date")?,
        }
        Box::pin(serve(config, telemetry, shutdown)).await
    })
    .await
}

impl Config {
    /// Reads the settings of all services. The error lists every mistake at once.
    fn load() -> Result<Self, Mistakes> {
        let mut settings = Settings::load();
        let infrastructure = Infrastructure::from_settings(&mut settings, "modelday", 8080);
        let dev = infrastructure.as_ref().is_some_and(|shared| shared.deployment.is_dev_mode);
        let development = if dev { development(&mut settings, "modelday") } else { None };
        let trigger = trigger::Config::read(&mut settings, infrastructure.clone());
        let downloader = downloader::Config::read(&mut settings, infrastructure.clone());
        let executor = executor::Config::read(&mut settings, infrastructure.clone());
        let status = status::Config::read(&mut settings, infrastructure.clone());
        let complete = || {
            Some(Self {
                infrastructure: infrastructure?,
                development,
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
    let address = config.infrastructure.address;
    let trigger = trigger::build(config.trigger, shutdown.clone()).await?;
    let downloader = downloader::build(config.downloader, shutdown.clone()).await?;
    let executor = executor::build(config.executor, shutdown.clone()).await?;
    let status = status::build(config.status, shutdown.clone()).await?;
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
    let routes = trigger.routes.merge(downloader.routes).merge(executor.routes).merge(status.routes);
    let relays = [trigger.relays, downloader.relays, executor.relays, status.relays].concat();
    let service = Service { routes, work: Box::pin(work), relays, health: trigger.health };
    runtime::process::serve(service, address, telemetry, shutdown).await
}
