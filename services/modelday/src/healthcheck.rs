//! `modelday healthcheck`: a container needs no other program for its health check.

use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Succeeds when `url` responds with success within five seconds.
pub(crate) async fn healthcheck(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    let status = client.get(url).send().await.with_context(|| format!("asking {url}"))?.status();
    ensure!(status.is_success(), "{url} answered {status}");
    Ok(())
}
