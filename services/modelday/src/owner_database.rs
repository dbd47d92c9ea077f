//! The database as its owner reaches it, for commands that work on it directly.

use anyhow::Context as _;
use runtime::deployment::Deployment;
use runtime::settings::Settings;
use storage::Development;

/// The address of the deployment's database; contains a secret.
///
/// # Errors
/// When `DATABASE_URL` is absent, or a setting is invalid.
pub(crate) fn url() -> anyhow::Result<String> {
    let mut settings = Settings::load();
    let url = settings
        .text("DATABASE_URL")
        .context("DATABASE_URL is not set; set it to postgres://owner:password@host:port/database")?;
    let deployment = Deployment::from_settings(&mut settings);
    settings.finish(Some(()))?;
    Ok(if deployment.is_dev_mode { Development::beside(&url)?.url().to_owned() } else { url })
}
