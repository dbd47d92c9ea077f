//! `modelday migrate`: brings the schema up to date. With `DEPLOYMENT_MODE=DEV` it also creates the database and
//! removes the data of earlier runs.

use anyhow::{Context as _, ensure};
use messaging::{BrokerConfig, empty_queues};
use runtime::deployment::Deployment;
use runtime::infrastructure::{Infrastructure, development};
use runtime::settings::Settings;
use storage::Development;

/// The services, whose settings have their names.
pub(crate) const SERVICES: [&str; 4] = ["trigger", "downloader", "executor", "status"];

/// What to do with the data of a `DEV` deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DevData {
    Keep,
    /// Remove it, unless `PRESERVE_DEV_DATA` is on.
    Reset,
}

/// Brings the schema up to date.
pub(crate) async fn migrate(data: DevData) -> anyhow::Result<()> {
    let mut settings = Settings::load();
    let url = settings
        .text("DATABASE_URL")
        .context("DATABASE_URL is not set; set it to postgres://user:password@host:port/database")?;
    match data {
        DevData::Keep => {
            let deployment = Deployment::from_settings(&mut settings);
            settings.finish(Some(()))?;
            if deployment.is_dev_mode {
                return prepare(&Development::beside(&url)?).await;
            }
            storage::migrate(&url).await.context("bringing the database up to date")
        }
        DevData::Reset => {
            let each = Infrastructure::of_services(&mut settings, SERVICES, "modelday", 8080);
            let deployment = Deployment::from_settings(&mut settings);
            let development = development(&mut settings, "modelday");
            let brokers: Option<Vec<_>> = each.into_iter().map(|each| Some(each?.broker)).collect();
            let brokers = settings.finish(brokers)?;
            ensure!(deployment.is_dev_mode, "--reset-dev needs DEPLOYMENT_MODE=DEV; nothing was changed");
            let development = development.context("DATABASE_URL names no database")?;
            prepare(&development).await?;
            reset(&development, &brokers, deployment).await
        }
    }
}

/// Creates the database of a `DEV` deployment when it is missing, and brings its schema up to date.
pub(crate) async fn prepare(development: &Development) -> anyhow::Result<()> {
    development.prepare().await.context("preparing the database of DEPLOYMENT_MODE=DEV")
}

/// Removes jobs and days of a `DEV` deployment, unless they are to be preserved; prices stay. No service may run.
pub(crate) async fn reset(
    development: &Development,
    brokers: &[BrokerConfig],
    deployment: Deployment,
) -> anyhow::Result<()> {
    if deployment.preserve_dev_data == Some(true) {
        tracing::info!("PRESERVE_DEV_DATA is on: jobs and days stay");
        return Ok(());
    }
    development.empty().await.context("emptying the database of DEPLOYMENT_MODE=DEV")?;
    // The messages in the queues belong to jobs that were just removed.
    for broker in brokers {
        empty_queues(broker).await.context("emptying the queues of DEPLOYMENT_MODE=DEV")?;
    }
    tracing::info!("jobs and days of earlier runs were removed; prices were kept");
    Ok(())
}
